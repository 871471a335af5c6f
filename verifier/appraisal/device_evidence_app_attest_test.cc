// App Attest in the appraisal: freshness, binding to the installation key, and the counter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "protocol/hardware_binding.h"
#include "tests/support/apple_device.h"
#include "verifier/appraisal/device_evidence.h"
#include "verifier/store/store.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using touchmark::testing::AppleDevice;

class AppAttestAppraisalTest : public ::testing::Test {
 protected:
  AppAttestAppraisalTest() {
    settings_.more_roots =
        pki::TrustRoots::parse(touchmark::testing::to_pem(device_.root())).value();
    settings_.ios_app_ids = {"ABCDE12345.com.example.other", "ABCDE12345.com.example.app"};
    next_challenge();
  }

  void next_challenge() { nonce_ = challenges_.make(clock_.now() + Seconds(120), random_); }
  Bytes hash_for(ByteView nonce) const {
    return to_bytes(
        ByteView(protocol::app_attest_client_data_hash(nonce, installation_key_.public_der())));
  }
  Json attested() {  // over the present challenge
    attestation_ = device_.attest(hash_for(nonce_));
    attestation_nonce_ = nonce_;
    return {{"key_id", base64_encode(device_.key_id())},
            {"attestation", base64_encode(attestation_)}};
  }
  // What an app sends with each evidence after the first.
  Json both(std::uint8_t counter) {
    return {{"key_id", base64_encode(device_.key_id())},
            {"attestation", base64_encode(attestation_)},
            {"nonce", base64url_encode(attestation_nonce_)},
            {"assertion", base64_encode(device_.assert_over(hash_for(nonce_), counter))}};
  }
  std::vector<FindingId> appraise(const Json& submod) {
    Evidence evidence(installation_key_);
    evidence.nonce = nonce_;
    evidence.package_name = "com.example.app";
    evidence.sdk_build = "ios";
    evidence.submods = {{"app-attest", submod}};
    const HardwareAppraiser appraiser(settings_, challenges_, *store_);
    ExpectedApp app = ExpectedApp::of(evidence, nullptr);
    app.team = registered_team_;
    auto appraised = appraiser.appraise(evidence, app, clock_.now());
    EXPECT_TRUE(appraised) << appraised.error().text();
    appraised_ = std::move(*appraised);
    std::vector<FindingId> ids;
    for (const Finding& finding : appraised_.findings) ids.push_back(finding.id);
    EXPECT_EQ(appraised_.assurance,
              ids.empty() ? policy::Assurance::kSecureChip : policy::Assurance::kSoftware);
    EXPECT_EQ(appraised_.app_attest.has_value(), ids.empty());
    return ids;
  }

  testing::ManualClock clock_{1'750'000'000};
  testing::RepeatableRandom random_;
  ChallengeMaker challenges_{Bytes(32, std::byte{5})};
  AppleDevice device_{"ABCDE12345.com.example.app"};
  crypto::EcKey installation_key_ = crypto::EcKey::generate();
  HardwareSettings settings_;
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  std::string registered_team_;
  Bytes nonce_;
  Bytes attestation_;
  Bytes attestation_nonce_;
  DeviceAppraisal appraised_;
};

TEST_F(AppAttestAppraisalTest, AnAttestationOverThePresentChallengeIsFresh) {
  EXPECT_THAT(appraise(attested()), IsEmpty());
  EXPECT_TRUE(appraised_.app_attest->production);
  device_.aaguid_ = "appattestdevelop";
  EXPECT_THAT(appraise(attested()), IsEmpty());
  EXPECT_FALSE(appraised_.app_attest->production);
}

TEST_F(AppAttestAppraisalTest, TheTeamIsTheRegisteredOne) {
  settings_.ios_app_ids.clear();
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareOtherApp));
  registered_team_ = "ABCDE12345";
  EXPECT_THAT(appraise(attested()), IsEmpty());
  // An option does not speak for another team than the one that is registered.
  settings_.ios_app_ids = {"ABCDE12345.com.example.app"};
  registered_team_ = "OTHER12345";
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareOtherApp));
}

TEST_F(AppAttestAppraisalTest, AnOldAttestationServesWithAFreshAssertion) {
  device_.certified_until = clock_.now() + Seconds(3 * 86400);
  attested();
  clock_.advance(Seconds(86400 * 100));
  for (const std::uint8_t counter : std::array<std::uint8_t, 3>{1, 2, 9}) {
    next_challenge();
    EXPECT_THAT(appraise(both(counter)), IsEmpty());
  }
  Json alone = both(10);
  alone.erase("assertion");
  EXPECT_THAT(appraise(alone), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, StartsWith("app-attest.not-fresh"));
}

TEST_F(AppAttestAppraisalTest, AKnownKeyNeedsNoAttestation) {
  attested();
  Json assertion = both(1);
  assertion.erase("attestation");
  EXPECT_THAT(appraise(assertion), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, StartsWith("app-attest.unknown-key"));
  EXPECT_THAT(appraise(both(1)), IsEmpty());
  assertion = both(2);
  assertion.erase("attestation");
  EXPECT_THAT(appraise(assertion), IsEmpty());
  EXPECT_TRUE(appraised_.app_attest->production);
}

TEST_F(AppAttestAppraisalTest, CountersOnlyRise) {
  attested();
  EXPECT_THAT(appraise(both(5)), IsEmpty());
  next_challenge();
  for (const std::uint8_t counter : std::array<std::uint8_t, 3>{5, 4, 0}) {
    EXPECT_THAT(appraise(both(counter)), ElementsAre(FindingId::kHardwareReplayed));
  }
  EXPECT_THAT(appraise(both(6)), IsEmpty());
}

TEST_F(AppAttestAppraisalTest, AnAssertionOfAnotherChallengeIsRefused) {
  attested();
  const Json recorded = both(7);
  next_challenge();
  EXPECT_THAT(appraise(recorded), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, StartsWith("app-attest.bad-signature"));
}

TEST_F(AppAttestAppraisalTest, AnotherInstallationKeyCannotUseIt) {
  const Json recorded = attested();
  installation_key_ = crypto::EcKey::generate();
  EXPECT_THAT(appraise(recorded), ElementsAre(FindingId::kHardwareOtherKey));
  EXPECT_THAT(appraise(both(1)), ElementsAre(FindingId::kHardwareOtherKey));
}

TEST_F(AppAttestAppraisalTest, AKeyVouchesForOneInstallationKey) {
  attested();
  EXPECT_THAT(appraise(both(1)), IsEmpty());
  // An iPhone that signs what it is told to: the same App Attest key for another installation key,
  // by an assertion, and by an attestation of its own.
  const crypto::EcKey own = std::exchange(installation_key_, crypto::EcKey::generate());
  next_challenge();
  Json assertion = both(2);
  assertion.erase("attestation");
  EXPECT_THAT(appraise(assertion), ElementsAre(FindingId::kHardwareOtherKey));
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareOtherKey));
  installation_key_ = own;
  next_challenge();
  assertion = both(2);
  assertion.erase("attestation");
  EXPECT_THAT(appraise(assertion), IsEmpty()) << "the first one still counts";
}

TEST_F(AppAttestAppraisalTest, SaysNothingOfAnAndroidApp) {
  const Json submod = attested();
  Evidence evidence(installation_key_);
  evidence.nonce = nonce_;
  evidence.package_name = "com.example.app";
  evidence.sdk_build = "android";
  evidence.submods = {{"app-attest", submod}};
  const HardwareAppraiser appraiser(settings_, challenges_, *store_);
  const auto out = appraiser.appraise(evidence, ExpectedApp::of(evidence, nullptr), clock_.now());
  ASSERT_TRUE(out);
  ASSERT_EQ(out->findings.size(), 1U);
  EXPECT_EQ(out->findings[0].id, FindingId::kHardwareRefused);
  EXPECT_THAT(out->findings[0].detail, StartsWith("submods.foreign-platform"));
  EXPECT_EQ(out->assurance, policy::Assurance::kSoftware);
  EXPECT_EQ(out->claimed, policy::Assurance::kSoftware);
  EXPECT_FALSE(out->app_attest);
}

// A registration is of one platform, whatever the evidence says of itself.
TEST_F(AppAttestAppraisalTest, TheRegistrationSaysThePlatform) {
  Evidence evidence(installation_key_);
  const Reference android(testing::MemoryApp::make().registration(clock_.now()));
  for (const char* build : {"ios", "android", "host", "toaster"}) {
    evidence.sdk_build = build;
    EXPECT_EQ(ExpectedApp::of(evidence, &android).platform, "android") << build;
  }
  testing::MemoryApp app = testing::MemoryApp::make();
  app.measurement.platform = "iOS";
  const Reference ios(app.registration(clock_.now()));
  evidence.sdk_build = "android";
  EXPECT_EQ(ExpectedApp::of(evidence, &ios).platform, "ios");
  EXPECT_EQ(ExpectedApp::of(evidence, nullptr).platform, "android");
}

TEST_F(AppAttestAppraisalTest, ItMustBeOfTheRegisteredApp) {
  device_.app_id_ = "ABCDE12345.com.example.evil";
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareOtherApp));
  device_.app_id_ = "ZZZZZ12345.com.example.app";
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareOtherApp));
  device_.app_id_ = "ABCDE12345.com.example.app";
  settings_.ios_app_ids = {"ABCDE12345.com.example.other"};
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareOtherApp));
}

TEST_F(AppAttestAppraisalTest, TheChallengeMustBeOneOfThisService) {
  attested();
  attestation_nonce_ = ChallengeMaker(Bytes(32)).make(clock_.now(), random_);
  attestation_ = device_.attest(hash_for(attestation_nonce_));
  EXPECT_THAT(appraise(both(1)), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, StartsWith("app-attest.foreign-nonce"));
}

TEST_F(AppAttestAppraisalTest, AnUnknownRootVouchesForNothing) {
  settings_.more_roots.reset();
  EXPECT_THAT(appraise(attested()), ElementsAre(FindingId::kHardwareRefused));
  Sha256Digest key_id;
  std::ranges::copy(device_.key_id(), key_id.begin());
  EXPECT_FALSE(store_->app_attest_key(key_id).value());
}

TEST_F(AppAttestAppraisalTest, OtherShapesAreRefused) {
  const Json good = attested();
  for (const Json& bad :
       {Json(1), Json::object(), Json{{"key_id", "AAAA"}}, Json{{"key_id", 1}},
        Json{{"key_id", good["key_id"]}, {"attestation", "*"}},
        Json{{"key_id", good["key_id"]}, {"attestation", "AAAA"}},
        Json{{"key_id", good["key_id"]}, {"attestation", good["attestation"]}, {"nonce", "*"}},
        Json{{"key_id", good["key_id"]}, {"attestation", std::string(95'000, 'A')}}}) {
    EXPECT_THAT(appraise(bad), ElementsAre(FindingId::kHardwareRefused))
        << bad.dump().substr(0, 80);
  }
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
