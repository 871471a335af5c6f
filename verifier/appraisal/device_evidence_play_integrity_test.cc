// Play Integrity in the appraisal: bound to the challenge, the installation key and the app.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "crypto/testing/jwe_writer.h"
#include "protocol/hardware_binding.h"
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

constexpr const char* kPackage = "com.example.app";

class PlayIntegrityAppraisalTest : public ::testing::Test {
 protected:
  PlayIntegrityAppraisalTest() {
    settings_.play_integrity.emplace(
        kPackage,
        evidence::PlayIntegrityKeys{decryption_key_,
                                    crypto::EcKey::from_public_der(google_.public_der()).value()});
    verdict_ = {{"requestDetails",
                 {{"requestPackageName", kPackage},
                  {"nonce", nonce_for(installation_key_)},
                  {"timestampMillis", std::to_string(to_unix(clock_.now()) * 1000)}}},
                {"appIntegrity",
                 {{"appRecognitionVerdict", "PLAY_RECOGNIZED"},
                  {"packageName", kPackage},
                  {"certificateSha256Digest", {base64url_encode(signer_)}},
                  {"versionCode", "7"}}},
                {"deviceIntegrity", {{"deviceRecognitionVerdict", {"MEETS_DEVICE_INTEGRITY"}}}},
                {"accountDetails", {{"appLicensingVerdict", "LICENSED"}}}};
  }

  std::string nonce_for(const crypto::EcKey& key) const {
    return base64url_encode(protocol::play_integrity_hash(nonce_, key.public_der()));
  }
  std::string token() const {
    return touchmark::testing::make_jwe(decryption_key_, {{"alg", "A256KW"}, {"enc", "A256GCM"}},
                                        crypto::sign_es256(verdict_, google_, Json::object()));
  }
  std::vector<FindingId> appraise(const Json& submod) {
    Evidence evidence(installation_key_);
    evidence.nonce = nonce_;
    evidence.package_name = kPackage;
    evidence.signers = {signer_};
    evidence.submods = {{"play-integrity", submod}};
    const HardwareAppraiser appraiser(settings_, challenges_, *store_);
    auto appraised = appraiser.appraise(evidence, ExpectedApp::of(evidence, nullptr), clock_.now());
    EXPECT_TRUE(appraised) << appraised.error().text();
    appraised_ = std::move(*appraised);
    std::vector<FindingId> ids;
    for (const Finding& finding : appraised_.findings) ids.push_back(finding.id);
    EXPECT_EQ(appraised_.play.has_value(), ids.empty());
    return ids;
  }
  std::vector<FindingId> appraise() { return appraise({{"token", token()}}); }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  ChallengeMaker challenges_{Bytes(32, std::byte{5})};
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  Bytes nonce_ = challenges_.make(clock_.now() + Seconds(120), random_);
  crypto::EcKey installation_key_ = crypto::EcKey::generate();
  crypto::EcKey google_ = crypto::EcKey::generate();
  Bytes decryption_key_ = Bytes(32, std::byte{9});
  Sha256Digest signer_ = crypto::sha256(as_bytes("signer"));
  HardwareSettings settings_;
  Json verdict_;
  DeviceAppraisal appraised_;
};

TEST_F(PlayIntegrityAppraisalTest, AVerdictForThisChallengeAndKeyCounts) {
  EXPECT_THAT(appraise(), IsEmpty());
  EXPECT_EQ(appraised_.assurance, policy::Assurance::kPlatform);
  EXPECT_EQ(appraised_.play->app_recognition, "PLAY_RECOGNIZED");
  EXPECT_THAT(appraised_.play->device_recognition, ElementsAre("MEETS_DEVICE_INTEGRITY"));
  EXPECT_EQ(appraised_.play->app_licensing, "LICENSED");
}

TEST_F(PlayIntegrityAppraisalTest, AVerdictForAnotherChallengeOrKeyDoesNot) {
  nonce_ = challenges_.make(clock_.now() + Seconds(120), random_);
  EXPECT_THAT(appraise(), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, StartsWith("play-integrity.nonce-mismatch"));
  verdict_["requestDetails"]["nonce"] = nonce_for(crypto::EcKey::generate());
  EXPECT_THAT(appraise(), ElementsAre(FindingId::kHardwareRefused));
  verdict_["requestDetails"]["nonce"] = nonce_for(installation_key_);
  EXPECT_THAT(appraise(), IsEmpty());
}

TEST_F(PlayIntegrityAppraisalTest, ItMustBeOfTheRegisteredApp) {
  const auto other_app = ElementsAre(FindingId::kHardwareOtherApp);
  const Json good = verdict_;
  verdict_["requestDetails"]["requestPackageName"] = "com.example.evil";
  EXPECT_THAT(appraise(), other_app);
  verdict_ = good;
  verdict_["appIntegrity"]["certificateSha256Digest"] = {base64url_encode(Bytes(32))};
  EXPECT_THAT(appraise(), other_app);
}

// What Google says of an app that it does not know is for the policy.
TEST_F(PlayIntegrityAppraisalTest, AnAppThatGoogleDoesNotKnowIsForThePolicy) {
  verdict_["appIntegrity"] = {{"appRecognitionVerdict", "UNEVALUATED"}};
  EXPECT_THAT(appraise(), IsEmpty());
  EXPECT_EQ(appraised_.play->app_recognition, "UNEVALUATED");
}

TEST_F(PlayIntegrityAppraisalTest, OnlyTheConfiguredKeysOpenIt) {
  const std::string good = token();
  google_ = crypto::EcKey::generate();
  EXPECT_THAT(appraise(), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraise({{"token", good}}), IsEmpty());
  settings_.play_integrity.clear();
  EXPECT_THAT(appraise({{"token", good}}), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, StartsWith("no Play Integrity keys"));
}

TEST_F(PlayIntegrityAppraisalTest, OtherShapesAreRefused) {
  const auto refused = ElementsAre(FindingId::kHardwareRefused);
  EXPECT_THAT(appraise(Json(1)), refused);
  EXPECT_THAT(appraise(Json::object()), refused);
  EXPECT_THAT(appraise({{"token", ""}}), refused);
  EXPECT_THAT(appraise({{"token", "a.b.c.d.e"}}), refused);
  EXPECT_THAT(appraise({{"token", std::string(70'000, 'A')}}), refused);
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
