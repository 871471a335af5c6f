#include "verifier/state/registration_warnings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace touchmark::verifier::state {
namespace {

using enum AppConfiguration;

std::string ids_of(const package::Measurement& measurement, AppConfiguration configuration = kOwn,
                   AppSigner signer = AppSigner::kKnown) {
  std::string out;
  for (const auto& warning : registration_warnings(measurement, "1.10.0", configuration, signer)) {
    EXPECT_EQ(warning.message.find('\n'), std::string::npos);
    out += std::string(out.empty() ? "" : " ") + std::string(warning.id);
  }
  return out;
}

package::Measurement sound() {
  package::Measurement measurement;
  measurement.sdk_version = "1.10.0";
  measurement.min_sdk = kSdkMinApiLevel;
  measurement.parts = {{"lib/x86_64/libtouchmark.so", package::PartKind::kNativeLibrary, 1, {}}};
  return measurement;
}

std::string warned(std::string sdk_version, bool debuggable = false,
                   std::string_view version = "1.10.0") {
  package::Measurement measurement = sound();
  measurement.sdk_version = std::move(sdk_version);
  measurement.debuggable = debuggable;
  std::string out;
  for (const RegistrationWarning& warning :
       registration_warnings(measurement, version, kOwn, AppSigner::kKnown)) {
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

TEST(RegistrationWarnings, NameWhatAnIosAppIsBuiltWith) {
  package::Measurement app;
  app.platform = "iOS";
  const auto messages = [&](AppConfiguration configuration) {
    std::string out;
    for (const auto& warning :
         registration_warnings(app, "1.10.0", configuration, AppSigner::kKnown)) {
      out += warning.message + "\n";
    }
    return out;
  };
  EXPECT_NE(messages(kMissing).find("`touchmark sdk swift` gives"), std::string::npos);
  app.sdk_version = "1.9.0";
  for (const AppConfiguration configuration : {kMissing, kUnreadable, kOther, kOlder}) {
    const std::string said = messages(configuration);
    EXPECT_NE(said.find("`touchmark sdk swift` gives"), std::string::npos) << said;
    EXPECT_NE(said.find("resource touchmark-initial.config"), std::string::npos) << said;
    EXPECT_EQ(said.find("asset"), std::string::npos) << said;
    EXPECT_EQ(said.find("sdk library"), std::string::npos) << said;
  }
  app.sdk_version = "1.10.0";
  EXPECT_EQ(messages(kOwn), "");
}

TEST(RegistrationWarnings, TellOfAPackageThatMayBeDebugged) {
  EXPECT_EQ(warned("1.10.0", true), "debuggable");
  EXPECT_EQ(warned("", true), "no-sdk debuggable");
}

TEST(RegistrationWarnings, TellOfAnAbiWithoutTheSdksLibrary) {
  package::Measurement measurement = sound();
  const auto library = [&](const char* name) {
    measurement.parts.push_back({name, package::PartKind::kNativeLibrary, 1, {}});
  };
  library("lib/arm64-v8a/libapp.so");
  library("lib/arm64-v8a/libtouchmark.so");
  EXPECT_EQ(ids_of(measurement), "");
  library("config.x86!/lib/x86/libapp.so");
  EXPECT_EQ(ids_of(measurement), "sdk-missing-for-abi");
  library("config.x86!/lib/x86/libtouchmark.so");
  EXPECT_EQ(ids_of(measurement), "");
  library("lib/armeabi-v7a/libmytouchmark.so");
  EXPECT_EQ(ids_of(measurement), "sdk-missing-for-abi");
  const SdkAbis abis = sdk_abis(measurement);
  EXPECT_EQ(abis.with, (std::vector<std::string>{"arm64-v8a", "x86", "x86_64"}));
  EXPECT_EQ(abis.without, (std::vector<std::string>{"armeabi-v7a"}));
}

TEST(RegistrationWarnings, TellOfAnSdkWithoutAnyLibrary) {
  package::Measurement measurement = sound();
  measurement.parts.clear();
  EXPECT_EQ(ids_of(measurement), "sdk-missing-for-abi");
  // Nothing of these is in a folder that a device installs libraries from.
  for (const char* name : {"assets/libtouchmark.so", "lib/libtouchmark.so", "libtouchmark.so"}) {
    measurement.parts = {{name, package::PartKind::kNativeLibrary, 1, {}}};
    EXPECT_EQ(ids_of(measurement), "sdk-missing-for-abi") << name;
  }
  measurement.platform = "iOS";
  EXPECT_EQ(ids_of(measurement), "");
}

TEST(RegistrationWarnings, TellOfTheRestOfTheManifest) {
  package::Measurement measurement = sound();
  measurement.min_sdk = kSdkMinApiLevel - 1;
  EXPECT_EQ(ids_of(measurement), "min-sdk");
  measurement.platform = "iOS";
  EXPECT_EQ(ids_of(measurement), "");
  measurement = sound();
  measurement.test_only = true;
  measurement.network.cleartext.everywhere = true;
  EXPECT_EQ(ids_of(measurement), "test-only cleartext");
}

TEST(RegistrationWarnings, TellOfWhatTheNetworkLetsPass) {
  const auto message = [](const package::NetworkSecurity& network) {
    package::Measurement measurement = sound();
    measurement.network = network;
    const auto warnings = registration_warnings(measurement, "1.10.0", kOwn, AppSigner::kKnown);
    EXPECT_EQ(warnings.size(), 1u);
    return warnings.empty() ? ""
                            : std::string(warnings.front().id) + ": " + warnings.front().message;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), text.npos) << text;
  };
  package::NetworkSecurity network;
  network.cleartext.everywhere = true;
  has(message(network), "cleartext: the package allows traffic without TLS, whose");
  has(message(network), "android:usesCleartextTraffic=\"false\"");
  network.configured = true;
  has(message(network), "cleartextTrafficPermitted=\"false\"");
  network.cleartext = {.domains = {"a.example", "b", "c", "d"}};
  has(message(network), "without TLS to a.example, b, c and others, whose");
  network.cleartext = {};
  network.user_certificates.domains = {"a.example"};
  has(message(network), "user-certificates: ");
  has(message(network), "installs to a.example, so");
  has(message(network), "<debug-overrides>");
  network.configured = false;
  has(message(network), "targetSdkVersion");
  // What could not be read says nothing of the rest.
  network.unreadable = "axml.not-xml: " + std::string(5000, 'x');
  has(message(network), "network-security: ");
  EXPECT_LT(message(network).size(), 600u);
}

TEST(RegistrationWarnings, TellOfAConfigurationThatIsNotThisServices) {
  EXPECT_EQ(ids_of(sound(), kMissing), "no-configuration");
  EXPECT_EQ(ids_of(sound(), kUnreadable), "bad-configuration");
  EXPECT_EQ(ids_of(sound(), kOther), "other-service");
  EXPECT_EQ(ids_of(sound(), kOlder), "older-configuration");
  package::Measurement without_sdk = sound();
  without_sdk.sdk_version.clear();
  EXPECT_EQ(ids_of(without_sdk, kMissing), "no-sdk");
}

TEST(RegistrationWarnings, TellOfASignerThatTheAppNeverHad) {
  EXPECT_EQ(ids_of(sound(), kOwn, AppSigner::kKnown), "");
  EXPECT_EQ(ids_of(sound(), kOwn, AppSigner::kFirst), "");
  EXPECT_EQ(ids_of(sound(), kOwn, AppSigner::kUnknown), "unknown-signer");
}

TEST(RegistrationWarnings, KnowTheLowestApiLevelOfTheSdk) {
  std::ifstream file("attester/android/AndroidManifest.xml");
  const std::string manifest{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(manifest.find("minSdkVersion=\"" + std::to_string(kSdkMinApiLevel) + "\""),
            std::string::npos);
}

}  // namespace
}  // namespace touchmark::verifier::state
