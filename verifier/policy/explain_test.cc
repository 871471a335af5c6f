#include "verifier/policy/explain.h"

#include <gtest/gtest.h>

#include "verifier/policy/document.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;

Policy policy_of(const std::string& text) {
  auto policy = parse_policy("version = 1\n" + text);
  EXPECT_TRUE(policy) << policy.error().text();
  return policy.value_or(Policy());
}

TEST(Explain, SaysWhatWouldHavePassed) {
  const Policy policy = policy_of(R"(
[android]
min_os_version = 12
min_patch_level = { os = "2024-06", boot = "540d" }
[ios]
min_os_version = "16.4"
[assurance]
android = "tee"
ios = "secure-chip"
[boot.keys]
"GrapheneOS Pixel 8" = "cd7479653aa88208f9f03034810ef9b7b0af8a9d41e2000e458ac403a2acb233"
)");
  EXPECT_EQ(would_pass(policy, FindingId::kDeviceOsVersion),
            "Android 12 or later; iOS 16.4 or later");
  EXPECT_EQ(would_pass(policy, FindingId::kDevicePatchLevel),
            "OS patch level 2024-06-01 or later, stated by hardware; boot patch level at most 540 "
            "days old, stated by hardware");
  EXPECT_EQ(
      would_pass(policy, FindingId::kHardwareAssurance),
      "on Android a key of assurance tee or better; on iOS a key of assurance secure-chip; on "
      "a host a key of assurance software or better");
  EXPECT_EQ(would_pass(policy, FindingId::kBootUnverified),
            "a system that the phone's maker signed, or one signed with a pinned key: GrapheneOS "
            "Pixel 8");
}

TEST(Explain, HasAnAnswerForEveryFinding) {
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    const std::string answer = would_pass(Policy(), info.number);
    EXPECT_FALSE(answer.empty()) << info.id;
    EXPECT_NE(answer, "evidence without this finding") << info.id << " has no words of its own";
  }
  EXPECT_EQ(explain_findings(Policy()).size(), protocol::all_findings().size());
}

TEST(Explain, ShowsTheDecidingRuleOfEachFinding) {
  const Policy policy = policy_of("findings.\"hook.*\" = \"annotate\"\n[ios]\nmin_os_version = 17");
  Facts facts;
  facts.platform = "ios";
  facts.os_version = "16.1";
  const Json json =
      explain(policy, judge(policy, facts, {{FindingId::kHookFramework, "frida"}}, UnixTime()));
  EXPECT_EQ(json["passed"], false);
  EXPECT_EQ(json["force"], "none");
  const Json& hook = json["findings"][0];
  EXPECT_EQ(hook["number"], 33);
  EXPECT_EQ(hook["id"], "hook.framework");
  EXPECT_EQ(hook["meaning"], "a mark of a known instrumentation framework");
  EXPECT_EQ(hook["detail"], "frida");
  EXPECT_EQ(hook["action"], "annotate");
  EXPECT_EQ(hook["rule"], (Json{{"key", "findings.\"hook.*\""}, {"line", 2}}));
  EXPECT_EQ(hook["requirement"], nullptr);
  EXPECT_EQ(hook["would_pass"], nullptr) << "it did not reject";
  const Json& version = json["findings"][1];
  EXPECT_EQ(version["id"], "device.os-version");
  EXPECT_EQ(version["detail"], "iOS 16.1");
  EXPECT_EQ(version["rule"], (Json{{"key", "findings (default)"}, {"line", nullptr}}));
  EXPECT_EQ(version["requirement"], (Json{{"key", "ios.min_os_version"}, {"line", 4}}));
  EXPECT_EQ(version["would_pass"], "iOS 17 or later");
}

}  // namespace
}  // namespace touchmark::verifier::policy
