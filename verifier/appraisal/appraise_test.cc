// Each finding alone: a sound attestation, changed in one thing.
#include "verifier/appraisal/appraise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MemoryApp;

constexpr Seconds kLifetime{120};

class AppraiseTest : public ::testing::Test {
 protected:
  AppraiseTest() {
    // Long before the challenges of the tests.
    registration_ = attester_.app.registration(clock_.now() - Seconds(3600));
    EXPECT_TRUE(testing::put_registration(*store_, registration_, attester_.app.reader()));
    references_ = ReferenceValues::of({registration_});
    connection_.exporter = attester_.exporter;
    settings_.is_service_key = [this](ByteView spki) {
      return std::ranges::equal(spki, attester_.spki);
    };
  }

  Json challenge_over(const std::vector<package::Part>& code) {
    const Bytes nonce = challenges_.make(clock_.now() + kLifetime, random_);
    return {{"nonce", base64url_encode(nonce)},
            {"ranges", protocol::to_json(challenges_.ranges(nonce, code))}};
  }
  Json challenge() {
    return challenge_over(Reference(attester_.app.registration(clock_.now())).code);
  }
  Evidence evidence(const Json& claims) {
    const std::string jws = crypto::sign_es256(
        claims, attester_.key,
        {{"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(attester_.key)}});
    auto evidence = protocol::decode_evidence(jws);
    EXPECT_TRUE(evidence) << evidence.error().text();
    return std::move(*evidence);
  }
  Result<Appraisal> appraise(const Json& claims) {
    const Appraiser appraiser(settings_, challenges_, replays_, hardware_,
                              [this](const Sha256Digest& part, std::uint64_t offset,
                                     std::uint64_t length, const ByteSink& sink) -> Result<void> {
                                ++reads_;
                                auto bytes = store_->part_range(part, offset, length);
                                if (!bytes) return pass(bytes);
                                sink(*bytes);
                                return {};
                              });
    return appraiser.appraise(evidence(claims), connection_, *references_, clock_.now());
  }
  // In the order of a verdict.
  std::vector<FindingId> ids(const Json& claims) {
    auto appraisal = appraise(claims);
    EXPECT_TRUE(appraisal) << appraisal.error().text();
    std::vector<FindingId> out;
    for (const Finding& finding : appraisal->findings) out.push_back(finding.id);
    std::ranges::sort(out);
    return out;
  }
  // Findings of a sound attestation in which one claim says `value`.
  std::vector<FindingId> with(const std::string& pointer, const Json& value) {
    Json claims = attester_.claims(challenge());
    claims[Json::json_pointer(pointer)] = value;
    return ids(claims);
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  testing::SoftAttester attester_{MemoryApp::make(), "account"};
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  model::Registration registration_;
  ReferenceValues::Shared references_;
  model::Connection connection_{"192.0.2.1", {}};
  AppraisalSettings settings_{"account", {}, false};
  ChallengeMaker challenges_{Bytes(32, std::byte{5})};
  ReplayCache replays_{100};
  const HardwareAppraiser hardware_{{}, challenges_, *store_};
  int reads_ = 0;
};

TEST_F(AppraiseTest, FindsNothingWrongWithASoundApp) {
  EXPECT_THAT(ids(attester_.claims(challenge())), IsEmpty());
}

TEST_F(AppraiseTest, AppNotRegistered) {
  references_ = ReferenceValues::of({});
  EXPECT_THAT(ids(attester_.claims(challenge_over(assumed_code()))),
              ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(AppraiseTest, AppNotRegisteredBesideAnotherThatIs) {
  attester_.app = MemoryApp::make("com.example.other", "other");
  EXPECT_THAT(ids(attester_.claims(challenge_over(assumed_code()))),
              ElementsAre(FindingId::kAppNotRegistered));
}

TEST_F(AppraiseTest, DoesTheSameReadsForAnUnregisteredApp) {
  ids(attester_.claims(challenge()));
  const int registered_reads = std::exchange(reads_, 0);
  attester_.app = MemoryApp::make("com.example.other", "other");
  ids(attester_.claims(challenge_over(assumed_code())));
  EXPECT_EQ(registered_reads, static_cast<int>(kChallengeRanges));
  EXPECT_EQ(reads_, registered_reads);
}

TEST_F(AppraiseTest, AppRegistrationExpired) {
  registration_.expires = clock_.now() + Seconds(10);
  references_ = ReferenceValues::of({registration_});
  EXPECT_THAT(ids(attester_.claims(challenge())), IsEmpty());
  clock_.advance(Seconds(10));
  EXPECT_THAT(ids(attester_.claims(challenge())), ElementsAre(FindingId::kAppRegistrationExpired));
}

TEST_F(AppraiseTest, AppRangeProof) {
  EXPECT_THAT(with("/range_proof", base64url_encode(Bytes(32))),
              ElementsAre(FindingId::kAppRangeProof));
  // One changed byte in every place that could be asked for.
  for (std::byte& byte : attester_.app.contents["classes.dex"]) byte ^= std::byte{1};
  EXPECT_THAT(ids(attester_.claims(challenge())), ElementsAre(FindingId::kAppRangeProof));
}

// A challenge follows from what is claimed, so one from before the registration asks the same.
TEST_F(AppraiseTest, TakesAChallengeFromBeforeTheRegistration) {
  const Json early = challenge();
  registration_.created = clock_.now() + Seconds(1);
  references_ = ReferenceValues::of({registration_});
  clock_.advance(Seconds(2));
  EXPECT_THAT(ids(attester_.claims(early)), IsEmpty());
}

TEST_F(AppraiseTest, AsksForTheRangesOfWhatIsRegistered) {
  // An attacker who never saw the native library could answer these.
  EXPECT_THAT(ids(attester_.claims(challenge_over(assumed_code()))),
              ElementsAre(FindingId::kAppRangeProof));
}

TEST_F(AppraiseTest, AppClaimsMismatch) {
  const auto mismatch = ElementsAre(FindingId::kAppClaimsMismatch);
  EXPECT_THAT(with("/app/package", "com.example.evil"), mismatch);
  EXPECT_THAT(with("/sdk/build", "ios"), mismatch);
  EXPECT_THAT(with("/app/version_name", "9"), mismatch);
  EXPECT_THAT(with("/app/version_code", 9), mismatch);
  EXPECT_THAT(with("/app/signers", Json::array()), mismatch);
  EXPECT_THAT(with("/app/signers", {base64url_encode(Bytes(32))}), mismatch);
  EXPECT_THAT(with("/app/parts", Json::object()), mismatch);
  EXPECT_THAT(with("/app/parts/classes2.dex", base64url_encode(Bytes(32))), mismatch);
  EXPECT_THAT(with("/app/parts/classes.dex", base64url_encode(Bytes(32))), mismatch);
}

TEST_F(AppraiseTest, ChallengeInvalid) {
  // Nothing but the MAC is wrong; the ranges follow from the nonce, so their proof is wrong too.
  Json made_up = challenge();
  Bytes nonce = base64url_decode(made_up["nonce"].get<std::string>()).value();
  nonce.back() ^= std::byte{1};
  made_up["nonce"] = base64url_encode(nonce);
  made_up["ranges"] = protocol::to_json(challenges_.ranges(nonce, Reference(registration_).code));
  EXPECT_THAT(ids(attester_.claims(made_up)), ElementsAre(FindingId::kChallengeInvalid));
  EXPECT_EQ(replays_.size(), 0U) << "a forged challenge must not fill the cache";
}

TEST_F(AppraiseTest, ChallengeExpired) {
  const Json claims = attester_.claims(challenge());
  clock_.advance(kLifetime);
  EXPECT_THAT(ids(claims), ElementsAre(FindingId::kChallengeExpired));
}

TEST_F(AppraiseTest, ChallengeReplayed) {
  const Json claims = attester_.claims(challenge());
  EXPECT_THAT(ids(claims), IsEmpty());
  EXPECT_THAT(ids(claims), ElementsAre(FindingId::kChallengeReplayed));
}

TEST_F(AppraiseTest, ChallengeIsSpentByAFailedAttestationToo) {
  Json claims = attester_.claims(challenge());
  const Json sound = claims;
  claims["account"] = "other";
  EXPECT_THAT(ids(claims), ElementsAre(FindingId::kEvidenceWrongAccount));
  EXPECT_THAT(ids(sound), ElementsAre(FindingId::kChallengeReplayed));
}

TEST_F(AppraiseTest, EvidenceWrongAccount) {
  EXPECT_THAT(with("/account", "another"), ElementsAre(FindingId::kEvidenceWrongAccount));
}

TEST_F(AppraiseTest, EvidenceChecksMissing) {
  for (int i = 0; i < 5; ++i) {
    Json claims = attester_.claims(challenge());
    claims["checks"].erase(static_cast<std::size_t>(i));
    EXPECT_THAT(ids(claims), ElementsAre(FindingId::kEvidenceChecksMissing)) << i;
  }
}

TEST_F(AppraiseTest, EvidenceUnknownFinding) {
  EXPECT_THAT(with("/findings", {{{"id", "hook.invented"}}}),
              ElementsAre(FindingId::kEvidenceUnknownFinding));
}

TEST_F(AppraiseTest, NetworkMitm) {
  EXPECT_THAT(with("/tls/exporter", base64url_encode(Bytes(32))),
              ElementsAre(FindingId::kNetworkMitm));
  EXPECT_THAT(with("/tls/exporter", ""), ElementsAre(FindingId::kNetworkMitm));
  EXPECT_THAT(with("/tls/spki", base64url_encode(Bytes(32))), ElementsAre(FindingId::kNetworkMitm));
}

TEST_F(AppraiseTest, ComparesOnlyTheKeyWhereAProxyEndsTls) {
  settings_.tls_terminated_by_proxy = true;
  EXPECT_THAT(with("/tls/exporter", base64url_encode(Bytes(32))), IsEmpty());
  EXPECT_THAT(with("/tls/spki", base64url_encode(Bytes(32))), ElementsAre(FindingId::kNetworkMitm));
}

TEST_F(AppraiseTest, DeviceHostBuild) {
  EXPECT_THAT(with("/sdk/build", "host"), ElementsAre(FindingId::kDeviceHostBuild));
  EXPECT_THAT(with("/sdk/build", "toaster"), ElementsAre(FindingId::kDeviceHostBuild));
}

TEST_F(AppraiseTest, TakesOverEveryFindingOfTheClient) {
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    if (info.found_by != protocol::FoundBy::kAttester) continue;
    Json claims = attester_.claims(challenge());
    claims["findings"] = {{{"id", info.id}, {"detail", "seen"}}};
    auto appraisal = appraise(claims);
    ASSERT_TRUE(appraisal);
    EXPECT_THAT(appraisal->findings, ElementsAre(Finding{info.number, "seen"})) << info.id;
  }
}

TEST_F(AppraiseTest, ReportsEverythingAtOnceInOrder) {
  Json claims = attester_.claims(challenge());
  claims["account"] = "other";
  claims["sdk"]["build"] = "host";
  claims["app"]["package"] = "other";
  claims["findings"] = {{{"id", "root.su"}}, {{"id", "hook.framework"}}};
  EXPECT_THAT(ids(claims), ElementsAre(FindingId::kAppClaimsMismatch,
                                       FindingId::kEvidenceWrongAccount, FindingId::kHookFramework,
                                       FindingId::kRootSu, FindingId::kDeviceHostBuild));
}

TEST_F(AppraiseTest, FailsRatherThanForgetReplays) {
  ReplayCache full(0);
  const Appraiser appraiser(settings_, challenges_, full, hardware_,
                            [](const auto&, auto, auto, const auto&) { return Result<void>(); });
  auto appraisal = appraiser.appraise(evidence(attester_.claims(challenge())), connection_,
                                      *references_, clock_.now());
  ASSERT_FALSE(appraisal);
  EXPECT_TRUE(appraisal.error().is(AppraisalError::kOverloaded));
}

TEST_F(AppraiseTest, PassesOnThatTheStoreDoesNotAnswer) {
  const Appraiser appraiser(settings_, challenges_, replays_, hardware_,
                            [](const auto&, auto, auto, const auto&) -> Result<void> {
                              return fail(store::StoreError::kIo, "made up");
                            });
  auto appraisal = appraiser.appraise(evidence(attester_.claims(challenge())), connection_,
                                      *references_, clock_.now());
  ASSERT_FALSE(appraisal);
  EXPECT_TRUE(appraisal.error().is(store::StoreError::kIo));
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
