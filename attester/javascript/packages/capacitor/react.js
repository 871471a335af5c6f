// The hooks, for apps with React.
module.exports = require("./dist/core/src/react.js");
