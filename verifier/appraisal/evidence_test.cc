#include "verifier/appraisal/evidence.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

class EvidenceTest : public ::testing::Test {
 protected:
  Json claims() const {
    return attester_.claims({{"nonce", base64url_encode(Bytes(40))}, {"ranges", Json::array()}});
  }
  std::string sign(const Json& claims) const {
    return crypto::sign_es256(
        claims, attester_.key,
        {{"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(attester_.key)}});
  }
  testing::SoftAttester attester_{testing::MemoryApp::make(), "account"};
};

TEST_F(EvidenceTest, ReadsEveryClaim) {
  Json claims = this->claims();
  claims["findings"] = {{{"id", "root.su"}, {"detail", "/system/xbin/su"}}};
  claims["pay"] = base64_encode(crypto::sha256(as_bytes("user")));
  auto evidence = parse_evidence(sign(claims));
  ASSERT_TRUE(evidence) << evidence.error().text();
  EXPECT_EQ(evidence->account, "account");
  EXPECT_EQ(evidence->nonce.size(), 40U);
  EXPECT_EQ(evidence->os, "android");
  EXPECT_EQ(evidence->sdk_build, "android");
  EXPECT_EQ(evidence->package_name, "com.example.app");
  EXPECT_EQ(evidence->version_code, 7U);
  EXPECT_EQ(evidence->measurement, package::digest(attester_.app.measurement));
  EXPECT_EQ(evidence->signers.size(), 1U);
  EXPECT_EQ(evidence->parts.size(), 2U);
  EXPECT_EQ(evidence->checks.size(), 5U);
  ASSERT_EQ(evidence->findings.size(), 1U);
  EXPECT_EQ(evidence->findings[0].id, "root.su");
  EXPECT_EQ(evidence->findings[0].detail, "/system/xbin/su");
  EXPECT_EQ(evidence->tls_exporter, attester_.exporter);
  EXPECT_EQ(evidence->tls_spki, attester_.spki);
  EXPECT_EQ(evidence->pay, claims["pay"].get<std::string>());
  EXPECT_EQ(evidence->did, device_id(attester_.key));
  EXPECT_EQ(base64_decode(evidence->did)->size(), 16U);
}

TEST_F(EvidenceTest, RefusesEveryMissingOrMistypedClaim) {
  const std::vector<std::string> required{"/eat_nonce",
                                          "/iat",
                                          "/account",
                                          "/config_version",
                                          "/range_proof",
                                          "/platform",
                                          "/platform/os",
                                          "/sdk",
                                          "/sdk/version",
                                          "/sdk/build",
                                          "/app",
                                          "/app/package",
                                          "/app/version_name",
                                          "/app/version_code",
                                          "/app/measurement",
                                          "/app/signers",
                                          "/app/parts",
                                          "/checks",
                                          "/findings",
                                          "/tls",
                                          "/tls/exporter",
                                          "/tls/spki"};
  for (const std::string& name : required) {
    const Json::json_pointer pointer(name);
    Json missing = claims();
    missing.at(pointer.parent_pointer()).erase(pointer.back());
    auto evidence = parse_evidence(sign(missing));
    ASSERT_FALSE(evidence) << name << " missing";
    EXPECT_TRUE(evidence.error().is(EvidenceError::kMalformed)) << evidence.error().text();
    Json mistyped = claims();
    mistyped.at(pointer) = true;
    EXPECT_FALSE(parse_evidence(sign(mistyped))) << name << " of another type";
  }
}

TEST_F(EvidenceTest, RefusesOutOfBounds) {
  const auto refused = [&](const std::string& pointer, const Json& value) {
    Json changed = claims();
    changed[Json::json_pointer(pointer)] = value;
    return !parse_evidence(sign(changed));
  };
  EXPECT_TRUE(refused("/range_proof", base64url_encode(Bytes(31))));
  EXPECT_TRUE(refused("/range_proof", base64url_encode(Bytes(32)) + "="));
  EXPECT_TRUE(refused("/app/measurement", base64url_encode(Bytes(33))));
  EXPECT_TRUE(refused("/app/version_code", -1));
  EXPECT_TRUE(refused("/eat_nonce", base64url_encode(Bytes(65))));
  EXPECT_TRUE(refused("/account", std::string(257, 'a')));
  EXPECT_TRUE(refused("/pay", "AAAA"));
  EXPECT_TRUE(refused("/pay", 1));
  EXPECT_TRUE(refused("/app/signers", Json::array({1})));
  EXPECT_TRUE(
      refused("/app/signers", Json(std::vector<std::string>(33, base64url_encode(Bytes(32))))));
  EXPECT_TRUE(refused("/app/parts", {{"classes.dex", "short"}}));
  EXPECT_TRUE(refused("/findings", {{{"detail", "no id"}}}));
  EXPECT_TRUE(refused("/findings", Json(std::vector<Json>(257, {{"id", "root.su"}}))));
  EXPECT_FALSE(refused("/eat_nonce", base64url_encode(Bytes(3)))) << "forged, but well formed";
}

TEST_F(EvidenceTest, RefusesWhatTheInstallationKeyDidNotSign) {
  std::string evidence = sign(claims());
  const crypto::EcKey other = crypto::EcKey::generate();
  const std::string wrong_key = crypto::sign_es256(
      claims(), other, {{"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(attester_.key)}});
  EXPECT_TRUE(parse_evidence(wrong_key).error().is(crypto::JoseError::kBadSignature));
  const std::string wrong_type = crypto::sign_es256(
      claims(), attester_.key, {{"typ", "JWT"}, {"jwk", crypto::to_jwk(attester_.key)}});
  EXPECT_TRUE(parse_evidence(wrong_type).error().is(crypto::JoseError::kWrongType));
  EXPECT_FALSE(parse_evidence(""));
  EXPECT_FALSE(parse_evidence("a.b.c"));
  EXPECT_FALSE(parse_evidence(std::string(kMaxAttestBody + 1, 'a')));
  evidence.back() = evidence.back() == 'A' ? 'B' : 'A';
  EXPECT_FALSE(parse_evidence(evidence));
}

TEST_F(EvidenceTest, CutsLongDetails) {
  Json claims = this->claims();
  claims["findings"] = {{{"id", "root.su"}, {"detail", std::string(5000, 'x')}}};
  EXPECT_EQ(parse_evidence(sign(claims))->findings[0].detail.size(), 512U);
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
