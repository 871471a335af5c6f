#include "crypto/signing_key.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace touchmark::crypto {
namespace {

class SigningKeyTest : public testing::TestWithParam<SigningAlgorithm> {
 protected:
  const SigningKey key_ = SigningKey::generate(GetParam());
  const Bytes data_ = to_bytes("header.payload");
};

TEST_P(SigningKeyTest, VerifiesWhatItSigned) {
  const Bytes signature = key_.sign(data_);
  EXPECT_EQ(signature.size(), GetParam() == SigningAlgorithm::kRs256 ? 256U : 64U);
  EXPECT_TRUE(key_.verifies(data_, signature));
  EXPECT_FALSE(key_.verifies(to_bytes("header.other"), signature));
  EXPECT_FALSE(SigningKey::generate(GetParam()).verifies(data_, signature));
  for (std::size_t i = 0; i < signature.size(); i += 7) {
    Bytes changed = signature;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(key_.verifies(data_, changed)) << i;
    EXPECT_FALSE(key_.verifies(data_, ByteView(signature).first(i))) << i;
  }
}

TEST_P(SigningKeyTest, ComesBackFromItsDer) {
  const Bytes der = key_.private_der();
  const auto again = SigningKey::from_private_der(GetParam(), der);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->public_pem(), key_.public_pem());
  EXPECT_TRUE(key_.verifies(data_, again->sign(data_)));
  EXPECT_FALSE(SigningKey::from_private_der(GetParam(), ByteView(der).first(der.size() - 1)));
  Bytes longer = der;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(SigningKey::from_private_der(GetParam(), longer));
  for (const auto other :
       {SigningAlgorithm::kRs256, SigningAlgorithm::kEs256, SigningAlgorithm::kEdDsa}) {
    EXPECT_EQ(SigningKey::from_private_der(other, der).has_value(), other == GetParam());
  }
}

TEST_P(SigningKeyTest, VerifiesByItsPublicHalf) {
  const Bytes spki = key_.public_der();
  const auto half = SigningKey::from_public_der(GetParam(), spki);
  ASSERT_TRUE(half) << half.error().text();
  EXPECT_TRUE(half->verifies(data_, key_.sign(data_)));
  EXPECT_EQ(half->public_jwk(), key_.public_jwk());
  EXPECT_FALSE(SigningKey::from_public_der(GetParam(), ByteView(spki).first(spki.size() - 1)));
  EXPECT_FALSE(SigningKey::from_public_der(GetParam(), key_.private_der()));
}

TEST_P(SigningKeyTest, ShowsItsPublicHalfAlone) {
  EXPECT_TRUE(key_.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
  const Json jwk = key_.public_jwk();
  EXPECT_EQ(jwk["alg"], to_string(GetParam()));
  EXPECT_EQ(jwk["use"], "sig");
  for (const char* member : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
    EXPECT_FALSE(jwk.contains(member)) << member;
  }
  if (GetParam() == SigningAlgorithm::kRs256) {
    EXPECT_EQ(base64url_decode(jwk["n"].get<std::string>())->size(), 256U);
    EXPECT_EQ(jwk["e"], "AQAB");
  } else {
    EXPECT_EQ(base64url_decode(jwk["x"].get<std::string>())->size(), 32U);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, SigningKeyTest,
                         testing::Values(SigningAlgorithm::kRs256, SigningAlgorithm::kEs256,
                                         SigningAlgorithm::kEdDsa),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST(SigningAlgorithms, AreReadAsTheyAreWritten) {
  EXPECT_EQ(parse_signing_algorithm("ES256"), SigningAlgorithm::kEs256);
  for (const char* other : {"", "es256", "HS256", "none", "RS512"}) {
    EXPECT_EQ(parse_signing_algorithm(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace touchmark::crypto
