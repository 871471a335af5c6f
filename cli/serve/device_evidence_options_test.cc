#include "cli/serve/device_evidence_options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "tests/support/android_phone.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::cli::serve {
namespace {

class HardwareOptionsTest : public ::testing::Test {
 protected:
  std::string file(const std::string& content) {
    const auto path = folder_ / "option";
    std::ofstream(path) << content;
    return path;
  }
  static std::string outcome(const HardwareOptions& options) {
    const auto settings = read_hardware_settings(options);
    return settings ? "" : settings.error().id();
  }

  const touchmark::testing::TemporaryFolder folder_;
};

TEST_F(HardwareOptionsTest, TheDefaultTrustsNobodyElse) {
  const auto settings = read_hardware_settings({});
  ASSERT_TRUE(settings);
  EXPECT_FALSE(settings->more_roots);
  EXPECT_TRUE(settings->play_integrity.empty());
}

TEST_F(HardwareOptionsTest, ReadsRoots) {
  const std::string pem = touchmark::testing::to_pem(touchmark::testing::AndroidPhone().root());
  const auto settings = read_hardware_settings({.more_roots = file(pem + pem)});
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->more_roots->all().size(), 2U);
  EXPECT_EQ(outcome({.more_roots = file("no certificate")}), "hardware-option.bad-roots");
  EXPECT_EQ(outcome({.more_roots = "/nowhere/roots.pem"}), "file.not-found");
}

TEST_F(HardwareOptionsTest, ReadsPlayIntegrityKeys) {
  const crypto::EcKey key = crypto::EcKey::generate();
  Json keys{{"com.example.app",
             {{"decryption_key", base64_encode(Bytes(32))},
              {"verification_key", base64_encode(key.public_der())}}}};
  const auto settings = read_hardware_settings({.play_integrity_keys = file(keys.dump())});
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->play_integrity.at("com.example.app").decryption_key, Bytes(32));
  keys["com.example.app"]["decryption_key"] = base64_encode(Bytes(31));
  for (const std::string& text : {keys.dump(), std::string("[]"), std::string("{"),
                                  std::string(R"({"com.example.app":{}})")}) {
    EXPECT_EQ(outcome({.play_integrity_keys = file(text)}), "hardware-option.bad-play-keys");
  }
}

TEST_F(HardwareOptionsTest, NamesTheRevocationList) {
  const auto by_default = revocation_settings({}, "cache").value().value();
  EXPECT_EQ(by_default.location, "https://android.googleapis.com/attestation/status");
  EXPECT_FALSE(by_default.fail_closed);
  HardwareOptions off;
  off.revocation = "off";
  EXPECT_FALSE(revocation_settings(off, "cache").value());
  off.revocation_required = true;
  EXPECT_EQ(revocation_settings(off, "cache").error().id(), "hardware-option.no-revocation");
  HardwareOptions options;
  options.revocation = "google";
  options.revocation_max_age = "2d";
  options.revocation_required = true;
  const auto google = revocation_settings(options, "cache").value().value();
  EXPECT_EQ(google.location, verifier::state::kGoogleRevocationUrl);
  EXPECT_EQ(google.max_age, Seconds(2 * 86400));
  EXPECT_TRUE(google.fail_closed);
  EXPECT_EQ(google.cache, "cache");
  options.revocation = "list.json";
  EXPECT_TRUE(revocation_settings(options, "cache").value()->cache.empty());
  options.revocation_max_age = "soon";
  EXPECT_EQ(revocation_settings(options, "cache").error().id(), "hardware-option.bad-max-age");
}

TEST_F(HardwareOptionsTest, AnIosAppIdNamesTeamAndBundle) {
  EXPECT_EQ(outcome({.ios_app_ids = {"ABCDE12345.com.example.app"}}), "");
  for (const char* bad :
       {"", "com.example.app", "abcde12345.com.example", "ABCDE12345.", "ABCDE12345-com.example"}) {
    EXPECT_EQ(outcome({.ios_app_ids = {bad}}), "hardware-option.bad-app-id") << bad;
  }
}

}  // namespace
}  // namespace touchmark::cli::serve
