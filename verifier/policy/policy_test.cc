#include "verifier/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verifier/policy/document.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UnixTime kNow = from_unix(1'720'000'000);  // 2024-07-03

Facts phone() {
  Facts facts;
  facts.platform = "android";
  facts.os_version = "14";
  facts.model = "Pixel 8";
  return facts;
}

Policy policy_of(const std::string& text) {
  auto policy = parse_policy("version = 1\n" + text);
  EXPECT_TRUE(policy) << policy.error().text();
  return policy.value_or(Policy());
}

TEST(Judge, DoesWithEachFindingWhatItsLevelSaysByDefault) {
  EXPECT_TRUE(judge(Policy(), phone(), {}, kNow).passed);
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    const Verdict verdict = judge(Policy(), phone(), {{info.number, ""}}, kNow);
    EXPECT_EQ(verdict.passed, info.level == protocol::Level::kAnnotate) << info.id;
    EXPECT_THAT(verdict.notable(), ElementsAre(Finding{info.number, ""})) << info.id;
  }
}

TEST(Judge, AnnotatesAndIgnores) {
  const Policy policy =
      policy_of("[findings]\n\"root.su\" = \"annotate\"\n\"device.host-build\" = \"ignore\"");
  const Finding su{FindingId::kRootSu, "su"};
  const Finding host{FindingId::kDeviceHostBuild, ""};
  const Finding hook{FindingId::kHookFramework, ""};

  const Verdict passed = judge(policy, phone(), {su, host}, kNow);
  EXPECT_TRUE(passed.passed);
  EXPECT_THAT(passed.with(Action::kAnnotate), ElementsAre(su));
  EXPECT_THAT(passed.notable(), ElementsAre(su));

  const Verdict rejected = judge(policy, phone(), {su, host, hook}, kNow);
  EXPECT_FALSE(rejected.passed);
  EXPECT_THAT(rejected.with(Action::kReject), ElementsAre(hook));
  EXPECT_THAT(rejected.notable(), ElementsAre(hook, su)) << "by number";
}

TEST(Judge, NamesTheRulesThatDecided) {
  const Policy policy =
      policy_of("[assurance]\nandroid = \"tee\"\n[findings]\n\"hook.*\" = \"ignore\"");
  const Verdict verdict = judge(policy, phone(), {{FindingId::kHookPreload, ""}}, kNow);
  ASSERT_EQ(verdict.findings.size(), 2U);
  EXPECT_EQ(verdict.findings[0].decided_by, (Rule{"findings.\"hook.*\"", 5}));
  EXPECT_EQ(verdict.findings[0].requirement, std::nullopt);
  EXPECT_EQ(verdict.findings[1].finding.id, FindingId::kHardwareAssurance);
  EXPECT_EQ(verdict.findings[1].requirement, (Rule{"assurance.android", 3}));
  EXPECT_EQ(verdict.findings[1].decided_by.line, 0U) << "the default";
}

TEST(Judge, AForcedFailIsNotUndoneByAnyRule) {
  const Policy policy = policy_of("[findings]\n\"*\" = \"ignore\"\n\"device.*\" = \"ignore\"");
  EXPECT_TRUE(judge(policy, phone(), {{FindingId::kRootSu, ""}}, kNow).passed);
  const Verdict forced = judge(policy, phone(), {}, kNow, Force::kFail);
  EXPECT_FALSE(forced.passed);
  EXPECT_THAT(forced.with(Action::kReject), ElementsAre(Finding{FindingId::kDeviceForcedFail, ""}));
}

TEST(Judge, AForcedPassKeepsTheFindingsAsAnnotations) {
  const Verdict verdict = judge(Policy(), phone(), {{FindingId::kRootSu, ""}}, kNow, Force::kPass);
  EXPECT_TRUE(verdict.passed);
  EXPECT_THAT(verdict.with(Action::kAnnotate), ElementsAre(Finding{FindingId::kRootSu, ""}));
}

// A recording of the forced device's evidence, or a relay of it, must not pass.
TEST(Judge, AForcedPassNeedsTheDevicesOwnFreshEvidence) {
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    const bool foreign = info.id.starts_with("challenge.") || info.id == "network.mitm" ||
                         info.id == "evidence.wrong-account" || info.id == "device.forced-fail";
    const Verdict verdict = judge(Policy(), phone(), {{info.number, ""}}, kNow, Force::kPass);
    EXPECT_EQ(verdict.passed, !foreign) << info.id;
  }
}

TEST(Judge, TheFirstMatchingFilterDecides) {
  const Policy policy = policy_of(R"(
[[filters]]
name = "test phone"
effect = "allow"
model = "Pixel 4"
[[filters]]
name = "old Pixels"
effect = "refuse"
model = ["Pixel 4*", "Pixel 5*"]
os_version = "<14"
)");
  Facts facts = phone();
  const auto passes = [&](const char* model, const char* os_version) {
    facts.model = model;
    facts.os_version = os_version;
    return judge(policy, facts, {}, kNow).passed;
  };
  EXPECT_TRUE(passes("Pixel 4", "10"));
  EXPECT_FALSE(passes("Pixel 4a", "10"));
  EXPECT_TRUE(passes("Pixel 4a", "14"));
  EXPECT_TRUE(passes("Pixel 6", "12"));
  EXPECT_TRUE(passes("Pixel 5", "unknown")) << "a property that is not stated matches nothing";
}

TEST(Judge, WhatTheEvidenceDoesNotSayIsNotMet) {
  const Policy policy = policy_of("[android]\nmin_patch_level.vendor = \"2024-01\"");
  Facts facts = phone();
  const Verdict software = judge(policy, facts, {}, kNow);
  EXPECT_THAT(software.notable(),
              ElementsAre(Finding{FindingId::kDevicePatchLevel,
                                  "no hardware evidence of the vendor patch level"}));
  facts.android.emplace().boot = BootFacts{true, BootState::kVerified, {}};
  EXPECT_FALSE(judge(policy, facts, {}, kNow).passed);
  facts.android->vendor_patch_level = 20240105;
  EXPECT_THAT(judge(policy, facts, {}, kNow).notable(), IsEmpty());
}

}  // namespace
}  // namespace touchmark::verifier::policy
