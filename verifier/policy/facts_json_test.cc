#include "verifier/policy/facts_json.h"

#include <gtest/gtest.h>

namespace touchmark::verifier::policy {
namespace {

const Json kEverything = Json::parse(R"({
  "platform":"android","os_version":"14","manufacturer":"Google","model":"Pixel 8",
  "installer":"com.android.vending","package":"com.example.app","version_code":7,
  "sdk_version":"0.1.0","did":"AAECAwQFBgcICQoLDA0ODw==","ip":"192.0.2.1","development_key":true,
  "assurance":"secure-chip",
  "android":{"boot":{"locked":true,"state":"self-signed","key":"00ff"},"os_version":140000,
    "os_patch_level":202406,"vendor_patch_level":20240605,"boot_patch_level":20240605,
    "attestation_version":300,"keymint_version":300},
  "app_attest":{"production":true,"validation_category":2},
  "play":{"app_recognition":"PLAY_RECOGNIZED","device_recognition":["MEETS_DEVICE_INTEGRITY"],
    "app_licensing":"LICENSED","recent_device_activity":["LEVEL_1"],
    "apps_detected":["KNOWN_INSTALLED"],"play_protect":"NO_ISSUES","sdk_version":34}})");

TEST(FactsJson, KeepsEveryFact) {
  auto facts = facts_from_json(kEverything);
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_EQ(facts->android->boot->key, (Bytes{std::byte{0}, std::byte{0xff}}));
  EXPECT_EQ(facts->assurance, Assurance::kSecureChip);
  EXPECT_EQ(to_json(*facts), kEverything);
  EXPECT_EQ(facts_from_json(to_json(Facts{}))->platform, "");
}

TEST(FactsJson, NamesWhatIsWrong) {
  const auto message = [](const char* path, const Json& value) {
    Json json = kEverything;
    json[Json::json_pointer(path)] = value;
    auto facts = facts_from_json(json);
    return facts ? "" : facts.error().text();
  };
  EXPECT_EQ(message("/platform", 1), "facts.malformed: platform is not text");
  EXPECT_EQ(message("/patform", "ios"), "facts.malformed: patform is no fact");
  EXPECT_EQ(message("/assurance", "hard"), "facts.malformed: assurance \"hard\" is unknown");
  EXPECT_EQ(message("/android/boot/key", "0"),
            "facts.malformed: android.boot.key is not hexadecimal");
  EXPECT_EQ(message("/android/boot/lock", true), "facts.malformed: android.boot.lock is no fact");
  EXPECT_EQ(message("/android/os_version", -1),
            "facts.malformed: android.os_version is not a whole number in range");
  EXPECT_EQ(message("/android/os_version", 4294967296),
            "facts.malformed: android.os_version is not a whole number in range");
  EXPECT_EQ(message("/play/apps_detected", Json::array({1})),
            "facts.malformed: play.apps_detected is not an array of text");
  EXPECT_EQ(message("/app_attest", "x"), "facts.malformed: app_attest. is not an object");
  EXPECT_FALSE(facts_from_json(Json::array()));
}

TEST(FindingsJson, KeepsFindingsAndRefusesUnknownOnes) {
  const std::vector<protocol::Finding> findings{{protocol::FindingId::kRootSu, "su"},
                                                {protocol::FindingId::kNetworkMitm, ""}};
  EXPECT_EQ(findings_from_json(to_json(findings)).value(), findings);
  EXPECT_FALSE(findings_from_json(Json::parse(R"([{"id":"root.sudo"}])")));
  EXPECT_FALSE(findings_from_json(Json::object()));
}

}  // namespace
}  // namespace touchmark::verifier::policy
