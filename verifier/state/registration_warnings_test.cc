#include "verifier/state/registration_warnings.h"

#include <gtest/gtest.h>

namespace touchmark::verifier::state {
namespace {

std::string warned(std::string sdk_version, bool debuggable = false,
                   std::string_view version = "1.10.0") {
  package::Measurement measurement;
  measurement.sdk_version = std::move(sdk_version);
  measurement.debuggable = debuggable;
  std::string out;
  for (const RegistrationWarning& warning : registration_warnings(measurement, version)) {
    EXPECT_EQ(warning.message.find('\n'), std::string::npos);
    out += std::string(out.empty() ? "" : " ") + std::string(warning.id);
  }
  return out;
}

TEST(RegistrationWarnings, TellOfAPackageWithoutTheSdkOrWithAnOlderOne) {
  EXPECT_EQ(warned(""), "no-sdk");
  EXPECT_EQ(warned("1.10.0"), "");
  EXPECT_EQ(warned("1.10.1"), "");
  EXPECT_EQ(warned("2.0.0"), "");
  EXPECT_EQ(warned("1.9.9"), "older-sdk");  // numbers, not letters
  EXPECT_EQ(warned("0.99.99"), "older-sdk");
  EXPECT_EQ(warned("1.10.0-rc.1"), "older-sdk");
  EXPECT_EQ(warned("1.10.0+build.7"), "");
  EXPECT_EQ(warned("1.10.0", false, "1.10.0-rc.1"), "");
  // What is no version is none that the service knows.
  EXPECT_EQ(warned("new"), "older-sdk");
  EXPECT_EQ(warned("1.10"), "older-sdk");
  EXPECT_EQ(warned("99999999999.0.0"), "older-sdk");
}

TEST(RegistrationWarnings, TellOfAPackageThatMayBeDebugged) {
  EXPECT_EQ(warned("1.10.0", true), "debuggable");
  EXPECT_EQ(warned("", true), "no-sdk debuggable");
}

}  // namespace
}  // namespace touchmark::verifier::state
