#include "verifier/sdk/npm.h"

#include <gtest/gtest.h>

namespace touchmark::verifier::sdk {
namespace {

TEST(Npm, NamesThePackages) {
  EXPECT_EQ(npm_name("react-native"), "@touchmark/react-native");
  EXPECT_EQ(npm_file_name({"cordova", "1.2.3-rc.1"}), "touchmark-cordova-1.2.3-rc.1.tgz");
}

TEST(Npm, ReadsWhatItWrites) {
  for (const std::string_view package : kNpmPackages) {
    for (const char* version : {"0.1.0", "1.2.3-rc.1", "10.20.30+build"}) {
      const NpmFile file{package, version};
      EXPECT_EQ(parse_npm_file_name(npm_file_name(file)), file) << version;
    }
  }
}

TEST(Npm, TakesNoOtherName) {
  for (const char* name :
       {"", ".tgz", "touchmark-cordova-0.1.0", "touchmark-cordova-.tgz", "touchmark-cordova.tgz",
        "touchmark-core-0.1.0.tgz", "@touchmark/cordova", "cordova-0.1.0.tgz",
        "touchmark-cordova-../../x.tgz", "touchmark-cordova-0..1.tgz", "touchmark-cordova-0/1.tgz",
        "x/touchmark-cordova-0.1.0.tgz", "touchmark-cordova-0.1.0.tgz.sha1",
        "touchmark-react-0.1.0.tgz"}) {
    EXPECT_EQ(parse_npm_file_name(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace touchmark::verifier::sdk
