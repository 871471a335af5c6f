module.exports = require("./dist/react-native/plugin/index.js").default;
