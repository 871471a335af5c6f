// For React Native's autolinking.
module.exports = {
  dependency: {
    platforms: {
      android: {
        packageImportPath: "import touchmark.reactnative.TouchmarkPackage;",
        packageInstance: "new TouchmarkPackage()",
      },
    },
  },
};
