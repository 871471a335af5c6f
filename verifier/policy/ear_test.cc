#include "verifier/policy/ear.h"

#include <gtest/gtest.h>

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;

Facts phone(bool locked, BootState state) {
  Facts facts;
  facts.platform = "android";
  facts.assurance = Assurance::kTee;
  facts.android = AndroidFacts{};
  facts.android->boot = BootFacts{.locked = locked, .state = state, .key = {}};
  return facts;
}

Verdict verdict(bool passed, std::vector<std::pair<FindingId, Action>> findings = {}) {
  Verdict out;
  out.passed = passed;
  for (const auto& [id, action] : findings) {
    out.findings.push_back({.finding = {id, ""}, .action = action});
  }
  return out;
}

TEST(Ear, ALockedPhoneIsAffirmedAsFarAsAPhoneCanBe) {
  const TrustVector vector = trust_vector(phone(true, BootState::kVerified), verdict(true));
  EXPECT_EQ(vector, (TrustVector{.instance_identity = 2,
                                 .configuration = 2,
                                 .executables = 3,
                                 .hardware = 2,
                                 .runtime_opaque = 32,
                                 .storage_opaque = 2}));
  EXPECT_EQ(ear_status(vector, verdict(true)), "warning");
}

TEST(Ear, AnUnlockedPhoneIsGenuineAndContraindicated) {
  const TrustVector vector = trust_vector(phone(false, BootState::kUnverified), verdict(false));
  EXPECT_EQ(vector.instance_identity, 2);
  EXPECT_EQ(vector.configuration, 96);
  EXPECT_EQ(vector.executables, 96);
  EXPECT_EQ(ear_status(vector, verdict(true)), "contraindicated");
}

TEST(Ear, SoftwareEvidenceClaimsNothingOfTheDevice) {
  Facts facts;
  facts.platform = "host";
  const TrustVector vector = trust_vector(facts, verdict(true));
  EXPECT_EQ(vector, TrustVector{.storage_opaque = 32});
  EXPECT_EQ(ear_status({}, verdict(true)), "none");
  EXPECT_EQ(ear_status({.instance_identity = 2}, verdict(true)), "affirming");
  EXPECT_EQ(ear_status({.instance_identity = 2}, verdict(false)), "contraindicated");
}

TEST(Ear, FindingsMakeClaimsWorseUnlessIgnored) {
  const Facts facts = phone(true, BootState::kVerified);
  const auto executables = [&](Action action) {
    return trust_vector(facts, verdict(true, {{FindingId::kHookFramework, action}})).executables;
  };
  EXPECT_EQ(executables(Action::kReject), 96);
  EXPECT_EQ(executables(Action::kAnnotate), 96);
  EXPECT_EQ(executables(Action::kIgnore), 3);
  // The worst of several counts.
  EXPECT_EQ(trust_vector(facts, verdict(false, {{FindingId::kHardwareRefused, Action::kReject},
                                                {FindingId::kHardwareRevoked, Action::kReject}}))
                .instance_identity,
            99);
}

TEST(Ear, EveryFindingHasAnEffect) {
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    const Verdict found = verdict(false, {{info.number, Action::kReject}});
    EXPECT_NE(trust_vector({}, found), trust_vector({}, verdict(true))) << info.id;
  }
}

TEST(Ear, ClaimsAreThoseOfTheDrafts) {
  const Json ear = ear_claims(phone(true, BootState::kVerified), verdict(true),
                              {.issued_at = from_unix(1790000000),
                               .build = "touchmark 1",
                               .policy_id = "urn:example:policy",
                               .nonce = "MDEyMzQ1Njc4OQ"});
  EXPECT_EQ(ear, Json::parse(R"({
    "eat_profile": "tag:github.com,2023:veraison/ear",
    "iat": 1790000000,
    "eat_nonce": "MDEyMzQ1Njc4OQ",
    "ear.verifier-id": {"developer": "Touchmark", "build": "touchmark 1"},
    "submods": {"app": {
      "ear.status": "warning",
      "ear.appraisal-policy-id": "urn:example:policy",
      "ear.trustworthiness-vector": {"instance-identity": 2, "configuration": 2, "executables": 3,
        "hardware": 2, "runtime-opaque": 32, "storage-opaque": 2}}}
  })"));
}

}  // namespace
}  // namespace touchmark::verifier::policy
