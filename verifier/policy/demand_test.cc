// The presets, and what a policy comes to in a line.
#include "verifier/policy/demand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verifier/policy/document.h"
#include "verifier/policy/presets.h"

namespace touchmark::verifier::policy {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Policy parsed(std::string_view text) {
  auto policy = parse_policy(text);
  EXPECT_TRUE(policy) << policy.error().text();
  return policy ? std::move(*policy) : Policy();
}

Facts phone(const std::string& platform, Assurance assurance) {
  Facts facts;
  facts.platform = platform;
  facts.assurance = assurance;
  return facts;
}

bool passes(const Policy& policy, const Facts& facts) {
  return judge(policy, facts, {}, UnixTime()).passed;
}

TEST(Presets, AreCommentedDocumentsThatAreValid) {
  ASSERT_THAT(presets(), SizeIs(3));
  EXPECT_EQ(presets()[0].document, default_document());
  for (const Preset& preset : presets()) {
    const Document document = parse_document(preset.document);
    EXPECT_TRUE(document.valid()) << preset.name;
    EXPECT_THAT(document.warnings, IsEmpty()) << preset.name;
    EXPECT_TRUE(preset.document.starts_with("# " + std::string(preset.name) + ": "));
    EXPECT_EQ(find_preset(preset.name), &preset);
  }
  EXPECT_EQ(find_preset("lax"), nullptr);
}

TEST(Presets, StrictAsksForHardware) {
  const Policy strict = parsed(find_preset("strict")->document);
  for (const auto* platform : {"android", "ios", "host", "toaster"}) {
    EXPECT_FALSE(passes(strict, phone(platform, Assurance::kSoftware))) << platform;
    EXPECT_FALSE(passes(strict, phone(platform, Assurance::kPlatform))) << platform;
  }
  EXPECT_TRUE(passes(strict, phone("android", Assurance::kTee)));
  EXPECT_FALSE(passes(strict, phone("ios", Assurance::kTee)));
  EXPECT_TRUE(passes(strict, phone("ios", Assurance::kSecureChip)));
  const Demand demand = demand_of(strict, false);
  EXPECT_EQ(demand.takes,
            "a registered app with a key in the phone's hardware (Android: tee, iOS: secure-chip)");
  EXPECT_THAT(demand.warnings, IsEmpty());
}

TEST(Presets, CompatibleTakesGooglesWordToo) {
  const Policy compatible = parsed(find_preset("compatible")->document);
  EXPECT_FALSE(passes(compatible, phone("android", Assurance::kSoftware)));
  EXPECT_TRUE(passes(compatible, phone("android", Assurance::kTee)));
  EXPECT_FALSE(passes(compatible, phone("ios", Assurance::kPlatform)));
  Facts vouched = phone("android", Assurance::kPlatform);
  PlayFacts& play = vouched.play.emplace();
  play.app_recognition = "PLAY_RECOGNIZED";
  play.device_recognition = {"MEETS_DEVICE_INTEGRITY"};
  play.app_licensing = "LICENSED";
  EXPECT_TRUE(passes(compatible, vouched));
  // Set by hand in the Play Console: refused unless the policy asks for it.
  vouched.play->test_response = true;
  EXPECT_FALSE(passes(compatible, vouched));
  EXPECT_TRUE(passes(parsed(find_preset("development")->document), vouched));
  // ... and it vouches for no key, even where play.device does not reject.
  EXPECT_FALSE(passes(parsed("version = 1\n[findings]\n\"play.*\" = \"ignore\"\n"
                             "[assurance]\nandroid = \"platform\"\nios = \"secure-chip\"\n"),
                      vouched));
  EXPECT_THAT(demand_of(compatible, false).takes, HasSubstr("Google Play's word"));
  EXPECT_THAT(demand_of(compatible, false).warnings, IsEmpty());
}

TEST(Presets, DevelopmentIsWarnedOf) {
  const Policy development = parsed(find_preset("development")->document);
  EXPECT_TRUE(passes(development, phone("android", Assurance::kSoftware)));
  const Demand demand = demand_of(development, false);
  EXPECT_THAT(demand.takes, HasSubstr("no hardware vouches for it"));
  ASSERT_THAT(demand.warnings, SizeIs(1));
  EXPECT_THAT(demand.warnings[0], HasSubstr("SOFTWARE EVIDENCE PASSES (Android, iOS)"));
}

TEST(Demand, IsWhatIsEnforced) {
  EXPECT_THAT(demand_of(Policy(), false).warnings, SizeIs(1)) << "a document that says nothing";
  const Policy annotated = parsed(
      "version = 1\n[findings]\n\"hardware.assurance\" = \"annotate\"\n"
      "[assurance]\nandroid = \"tee\"\nios = \"secure-chip\"\n");
  EXPECT_THAT(demand_of(annotated, false).warnings, SizeIs(1)) << "it rejects nobody";
  const Policy half = parsed("version = 1\n[assurance]\nandroid = \"tee\"\n");
  ASSERT_THAT(demand_of(half, false).warnings, SizeIs(1));
  EXPECT_THAT(demand_of(half, false).warnings[0], HasSubstr("(iOS)"));
  const Policy strict = parsed(default_document());
  ASSERT_THAT(demand_of(strict, true).warnings, SizeIs(1));
  EXPECT_THAT(demand_of(strict, true).warnings[0], HasSubstr("--allow-host-builds"));
}

TEST(HostBuilds, AreAllowedByThatNameOnly) {
  Policy policy = parsed("version = 1\n");
  policy.set_action(protocol::FindingId::kDeviceHostBuild, Action::kIgnore,
                    {"--allow-host-builds"});
  const std::vector<protocol::Finding> found{{protocol::FindingId::kDeviceHostBuild, ""}};
  EXPECT_TRUE(judge(policy, phone("host", {}), found, UnixTime()).passed);
  EXPECT_FALSE(judge(policy, phone(std::string(kUnknownPlatform), {}), found, UnixTime()).passed);
  // It is judged by the strictest rule, too.
  Policy mixed = parsed("version = 1\n[assurance]\nandroid = \"tee\"\nios = \"secure-chip\"\n");
  EXPECT_FALSE(
      judge(mixed, phone(std::string(kUnknownPlatform), Assurance::kTee), {}, UnixTime()).passed);
}

// A filter of before, in a policy that is in force: the service must start with it.
TEST(RemovedKeys, AreWarnedOfInAStoredDocumentOnly) {
  const char* text = "version = 1\n[[filters]]\neffect = \"refuse\"\nrisk_metric = \">20\"\n";
  EXPECT_FALSE(parse_document(text).valid());
  const Document stored = parse_document(text, DocumentAge::kStored);
  ASSERT_TRUE(stored.valid());
  ASSERT_THAT(stored.warnings, SizeIs(1));
  EXPECT_EQ(stored.warnings[0].line, 4U);
  EXPECT_TRUE(passes(stored.policy, phone("ios", Assurance::kSecureChip)));
}

}  // namespace
}  // namespace touchmark::verifier::policy
