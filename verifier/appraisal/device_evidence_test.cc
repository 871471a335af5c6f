// Hardware evidence on phones made here: each rule broken alone.
#include "verifier/appraisal/device_evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "protocol/hardware_binding.h"
#include "tests/support/android_phone.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

using protocol::Finding;
using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using touchmark::testing::AndroidKeySpec;
using touchmark::testing::AndroidPhone;
using touchmark::testing::TestKey;
using touchmark::testing::to_pem;

crypto::EcKey ec_key(const TestKey& key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key.get(), &der);
  const auto* begin = reinterpret_cast<const std::byte*>(der);
  crypto::EcKey out = crypto::EcKey::from_public_der(ByteView(begin, begin + length)).value();
  OPENSSL_free(der);
  return out;
}

class HardwareTest : public ::testing::Test {
 protected:
  HardwareTest() {
    settings_.more_roots = pki::TrustRoots::parse(to_pem(phone_.root())).value();
    spec_.challenge = nonce(clock_.now());
    spec_.signers = {to_bytes(ByteView(signer_))};
  }

  Bytes nonce(UnixTime made) { return challenges_.make(made + Seconds(120), random_); }

  static Json submod(const std::vector<Bytes>& chain) {
    Json texts = Json::array();
    for (const Bytes& certificate : chain) texts.push_back(base64_encode(certificate));
    return {{"chain", texts}};
  }
  Json android_key() const { return submod(phone_.attest(key_, spec_)); }

  std::vector<FindingId> appraise(const Json& submods) {
    Evidence evidence(ec_key(key_));
    evidence.nonce = present_nonce_;
    evidence.package_name = "com.example.app";
    evidence.signers = {signer_};
    evidence.submods = submods;
    settings_.revocation = [this] { return revocation_; };
    const HardwareAppraiser appraiser(settings_, challenges_, *store_);
    ExpectedApp expected = ExpectedApp::of(evidence, nullptr);
    expected.first_signer = first_signer_;
    auto appraised = appraiser.appraise(evidence, expected, clock_.now());
    EXPECT_TRUE(appraised) << appraised.error().text();
    appraised_ = std::move(*appraised);
    std::vector<FindingId> ids;
    for (const Finding& finding : appraised_.findings) ids.push_back(finding.id);
    return ids;
  }
  std::vector<FindingId> appraise_key(const Json& submod) {
    return appraise({{"android-key", submod}});
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  ChallengeMaker challenges_{Bytes(32, std::byte{5})};
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  AndroidPhone phone_;
  TestKey key_;
  Sha256Digest signer_ = crypto::sha256(as_bytes("signer"));
  std::optional<Sha256Digest> first_signer_;  // where the registered app's key was rotated
  Bytes present_nonce_ = nonce(clock_.now());
  AndroidKeySpec spec_;
  HardwareSettings settings_;
  Result<std::shared_ptr<const pki::RevocationList>> revocation_ = nullptr;
  DeviceAppraisal appraised_;
};

TEST_F(HardwareTest, NothingIsSaidWithoutEvidence) {
  EXPECT_THAT(appraise(Json::object()), IsEmpty());
  EXPECT_THAT(appraise({{"another-kind", {{"chain", 1}}}}), IsEmpty());
  EXPECT_EQ(appraised_.assurance, policy::Assurance::kSoftware);
  EXPECT_FALSE(appraised_.android);
}

TEST_F(HardwareTest, AnAttestedKeyGivesItsLevelAndThePhonesState) {
  EXPECT_THAT(appraise_key(android_key()), IsEmpty());
  EXPECT_EQ(appraised_.assurance, policy::Assurance::kTee);
  ASSERT_TRUE(appraised_.android && appraised_.android->boot);
  EXPECT_TRUE(appraised_.android->boot->locked);
  EXPECT_EQ(appraised_.android->boot->state, policy::BootState::kVerified);
  EXPECT_EQ(appraised_.android->boot->key, Bytes(32, std::byte{0xb0}));
  EXPECT_EQ(appraised_.android->os_version, 140000U);
  EXPECT_EQ(appraised_.android->os_patch_level, 202601U);
  EXPECT_EQ(appraised_.android->attestation_version, 300U);
}

TEST_F(HardwareTest, AnUnlockedPhoneVerifiesAndIsForThePolicyToJudge) {
  spec_.locked = 0;
  spec_.boot_state = 2;
  EXPECT_THAT(appraise_key(android_key()), IsEmpty());
  EXPECT_FALSE(appraised_.android->boot->locked);
  EXPECT_EQ(appraised_.android->boot->state, policy::BootState::kUnverified);
}

TEST_F(HardwareTest, TheKeyIsMadeOnceAndServesForEver) {
  const Json once = android_key();
  clock_.advance(Seconds(86400 * 300));
  EXPECT_THAT(appraise_key(once), IsEmpty());
}

// The certificates of remote provisioning end after weeks, and had to be valid as the key was made.
TEST_F(HardwareTest, CertificatesMustHaveBeenValidWhenTheKeyWasMade) {
  phone_.provision_remotely(clock_.now() + Seconds(86400));
  const Json once = android_key();
  clock_.advance(Seconds(86400 * 30));
  EXPECT_THAT(appraise_key(once), IsEmpty());
  spec_.challenge = nonce(clock_.now());
  EXPECT_THAT(appraise_key(android_key()), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, ::testing::StartsWith("chain.expired"));
}

TEST_F(HardwareTest, TheChallengeMustBeOneOfThisService) {
  for (const Bytes& challenge :
       {Bytes{}, Bytes(40, std::byte{1}), ChallengeMaker(Bytes(32)).make(clock_.now(), random_)}) {
    spec_.challenge = challenge;
    EXPECT_THAT(appraise_key(android_key()), ElementsAre(FindingId::kHardwareRefused));
    EXPECT_THAT(appraised_.findings.front().detail,
                ::testing::StartsWith("key-attestation.challenge-mismatch"));
    EXPECT_EQ(appraised_.assurance, policy::Assurance::kSoftware);
  }
}

TEST_F(HardwareTest, AnotherPhonesChainIsAboutAnotherKey) {
  const TestKey other;
  EXPECT_THAT(appraise_key(submod(phone_.attest(other, spec_))),
              ElementsAre(FindingId::kHardwareOtherKey));
  EXPECT_FALSE(appraised_.android);
  EXPECT_EQ(appraised_.assurance, policy::Assurance::kSoftware);
}

TEST_F(HardwareTest, TheKeyMustBeOfTheRegisteredApp) {
  const AndroidKeySpec good = spec_;
  const auto other_app = ElementsAre(FindingId::kHardwareOtherApp);
  spec_.package = "com.example.evil";
  EXPECT_THAT(appraise_key(android_key()), other_app);
  spec_ = good;
  spec_.signers = {to_bytes(ByteView(crypto::sha256(as_bytes("another signer"))))};
  EXPECT_THAT(appraise_key(android_key()), other_app);
  spec_ = good;
  spec_.signers.clear();
  EXPECT_THAT(appraise_key(android_key()), other_app);
  spec_ = good;
  spec_.names_app = false;
  EXPECT_THAT(appraise_key(android_key()), other_app);
  spec_ = good;
  spec_.all_applications = true;
  EXPECT_THAT(appraise_key(android_key()), other_app);
}

// Android names the certificate with which a rotation began, and in releases to come maybe the
// newest; never one in between or both.
TEST_F(HardwareTest, ARotatedSigningKeyIsKnownByItsFirstCertificate) {
  const auto other_app = ElementsAre(FindingId::kHardwareOtherApp);
  const Sha256Digest first = crypto::sha256(as_bytes("the first signer"));
  const Bytes newest = to_bytes(ByteView(signer_));
  const Bytes oldest = to_bytes(ByteView(first));
  spec_.signers = {oldest};
  EXPECT_THAT(appraise_key(android_key()), other_app);  // nothing was rotated
  first_signer_ = first;
  EXPECT_THAT(appraise_key(android_key()), IsEmpty());
  spec_.signers = {newest};
  EXPECT_THAT(appraise_key(android_key()), IsEmpty());
  spec_.signers = {oldest, newest};
  EXPECT_THAT(appraise_key(android_key()), other_app);
  spec_.signers = {to_bytes(ByteView(crypto::sha256(as_bytes("another"))))};
  EXPECT_THAT(appraise_key(android_key()), other_app);
}

TEST_F(HardwareTest, TheRegistrationSaysWithWhichCertificateARotationBegan) {
  testing::MemoryApp app = testing::MemoryApp::make();
  const Evidence evidence(ec_key(key_));
  EXPECT_FALSE(ExpectedApp::of(evidence, nullptr).first_signer);
  const Reference plain(app.registration(clock_.now()));
  EXPECT_FALSE(ExpectedApp::of(evidence, &plain).first_signer);
  app.measurement.first_signer = signer_;
  const Reference rotated(app.registration(clock_.now()));
  EXPECT_EQ(ExpectedApp::of(evidence, &rotated).first_signer, signer_);
}

TEST_F(HardwareTest, TheOwnerOfAnAttestedKeyCannotAttestAnother) {
  const TestKey attested;
  std::vector<Bytes> chain = phone_.attest(attested, spec_);
  touchmark::testing::CertificateSpec forged{.subject = {{"CN", "Android Keystore Key"}},
                                             .issuer = {{"CN", "Android Keystore Key"}},
                                             .ca = std::nullopt};
  chain.insert(chain.begin(), touchmark::testing::make_certificate(forged, key_, attested));
  EXPECT_THAT(appraise_key(submod(chain)), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail,
              ::testing::StartsWith("key-attestation.chain-extended"));
}

TEST_F(HardwareTest, AnUnknownRootVouchesForNothing) {
  settings_.more_roots.reset();
  EXPECT_THAT(appraise_key(android_key()), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail, ::testing::StartsWith("chain.untrusted-root"));
}

TEST_F(HardwareTest, RevokedAndSuspendedCertificatesAreNamed) {
  for (const char* status : {"REVOKED", "SUSPENDED"}) {
    const std::string list = R"({"entries":{"abc":{"status":")" + std::string(status) + R"("}}})";
    revocation_ =
        std::make_shared<const pki::RevocationList>(pki::RevocationList::parse(list).value());
    EXPECT_THAT(appraise_key(android_key()), ElementsAre(FindingId::kHardwareRevoked)) << status;
    EXPECT_FALSE(appraised_.android);
  }
}

TEST_F(HardwareTest, AMissingRevocationListIsSaidAndTheRestIsJudged) {
  revocation_ = fail(pki::RevocationError::kMalformed, "no list");
  EXPECT_THAT(appraise_key(android_key()), ElementsAre(FindingId::kHardwareRevocationUnknown));
  EXPECT_EQ(appraised_.assurance, policy::Assurance::kTee);
}

TEST_F(HardwareTest, OtherShapesAreRefusedAndBounded) {
  const auto refused = ElementsAre(FindingId::kHardwareRefused);
  const Json one = android_key()["chain"][0];
  EXPECT_THAT(appraise_key(Json::object()), refused);
  EXPECT_THAT(appraise_key(Json::array({1})), refused);
  EXPECT_THAT(appraise_key("chain"), refused);
  EXPECT_THAT(appraise_key({{"chain", Json::array()}}), refused);
  EXPECT_THAT(appraise_key({{"chain", Json::array({1})}}), refused);
  EXPECT_THAT(appraise_key({{"chain", Json::array({"*"})}}), refused);
  EXPECT_THAT(appraise_key({{"chain", Json::array({""})}}), refused);
  EXPECT_THAT(appraise_key({{"chain", Json::array({one})}}), refused);
  EXPECT_THAT(appraise_key({{"chain", std::vector<Json>(11, one)}}), refused);
  EXPECT_THAT(appraise_key({{"chain", Json::array({std::string(60'000, 'A')})}}), refused);
}

TEST_F(HardwareTest, StrongBoxIsASecureChip) {
  spec_.level = 2;
  EXPECT_THAT(appraise_key(android_key()), ElementsAre(FindingId::kHardwareRefused));
  EXPECT_THAT(appraised_.findings.front().detail,
              ::testing::StartsWith("key-attestation.certified-level-mismatch"));
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
