#include "verifier/appraisal/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace touchmark::verifier {
namespace {

using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;

TEST(Policy, RejectsEveryFindingUnlessTold) {
  const Policy policy;
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    EXPECT_FALSE(policy.decide({{info.number, ""}}).passed) << info.id;
    EXPECT_EQ(policy.to_json()[std::string(info.id)], "reject");
  }
  EXPECT_TRUE(policy.decide({}).passed);
}

TEST(Policy, AnnotatesAndIgnores) {
  Policy policy;
  policy.set(FindingId::kRootSu, Action::kAnnotate);
  policy.set(FindingId::kDeviceHostBuild, Action::kIgnore);
  const Finding su{FindingId::kRootSu, "su"};
  const Finding host{FindingId::kDeviceHostBuild, ""};
  const Finding hook{FindingId::kHookFramework, ""};

  const Decision passed = policy.decide({su, host});
  EXPECT_TRUE(passed.passed);
  EXPECT_THAT(passed.annotating, ElementsAre(su));

  const Decision rejected = policy.decide({su, host, hook});
  EXPECT_FALSE(rejected.passed);
  EXPECT_THAT(rejected.rejecting, ElementsAre(hook));
  EXPECT_THAT(rejected.annotating, ElementsAre(su));
}

}  // namespace
}  // namespace touchmark::verifier
