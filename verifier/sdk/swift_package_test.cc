#include "verifier/sdk/swift_package.h"

#include <gtest/gtest.h>

namespace touchmark::verifier::sdk {
namespace {

TEST(SwiftPackage, ReadsWhatItWrites) {
  EXPECT_EQ(swift_file_name("0.1.0"), "touchmark-swift-0.1.0.zip");
  for (const char* version : {"0.1.0", "1.2.3-rc.1", "10.20.30+build"}) {
    EXPECT_EQ(parse_swift_file_name(swift_file_name(version)), version);
  }
}

TEST(SwiftPackage, TakesNoOtherName) {
  for (const char* name :
       {"", ".zip", "touchmark-swift-", "touchmark-swift-.zip", "touchmark-swift.zip",
        "touchmark-swift-0.1.0", "touchmark-swift-0.1.0.tgz", "touchmark-swift-../../x.zip",
        "touchmark-swift-0..1.zip", "touchmark-swift-0/1.zip", "x/touchmark-swift-0.1.0.zip",
        "touchmark-cordova-0.1.0.zip"}) {
    EXPECT_EQ(parse_swift_file_name(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace touchmark::verifier::sdk
