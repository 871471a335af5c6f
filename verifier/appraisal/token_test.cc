#include "verifier/appraisal/token.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "crypto/jose.h"
#include "protocol/decoy.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr UnixTime kNow{Seconds(1'790'000'000)};

class TokenTest : public ::testing::Test {
 protected:
  TokenFacts facts() const {
    TokenFacts out;
    out.device_id = "VpbvaHuFztxhsx472W4Vgg==";
    out.ip = "80.229.113.220";
    out.arc = "AEAQ";
    out.installation_key = Bytes(91, std::byte{3});
    return out;
  }
  testing::RepeatableRandom random_;
  std::string mint(bool valid) {
    return mint_.mint(keys_.signing(TokenKeys::kDefault), valid, facts(), kNow, random_);
  }
  TokenReport check(std::string_view token, UnixTime now = kNow) const {
    return check_token(keys_, token, now);
  }
  const Bytes secret_{32, std::byte{1}};
  const Bytes decoy_secret_ = protocol::derive_decoy_secret(secret_);
  const TokenKeys keys_ = keys_of_secret(secret_);
  const TokenMint mint_{{}};
};

TEST_F(TokenTest, SaysWhatTheArticleShows) {
  const std::string token = mint(true);
  auto parsed = crypto::verify_hs256(token, secret_, "JWT");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->payload.dump(),
            R"({"did":"VpbvaHuFztxhsx472W4Vgg==","exp":1790000300,"ip":"80.229.113.220"})");
  EXPECT_EQ(parsed->header.dump(), R"({"alg":"HS256","typ":"JWT"})");
}

TEST_F(TokenTest, IsSignedAsJoseSigns) {
  const TokenKey key = TokenKey::of_secret("", secret_);
  EXPECT_EQ(key.sign(true, R"({"did":"x","exp":5})"),
            crypto::sign_hs256({{"exp", 5}, {"did", "x"}}, secret_));
}

TEST_F(TokenTest, DecoyDiffersInTheSignatureOnly) {
  const std::string valid = mint(true);
  const std::string decoy = mint(false);
  EXPECT_EQ(valid.size(), decoy.size());
  EXPECT_EQ(valid.substr(0, valid.rfind('.')), decoy.substr(0, decoy.rfind('.')));
  EXPECT_NE(valid, decoy);
  EXPECT_FALSE(crypto::verify_hs256(decoy, secret_));
  EXPECT_TRUE(crypto::verify_hs256(decoy, decoy_secret_));
  EXPECT_FALSE(crypto::verify_hs256(valid, decoy_secret_));
}

TEST_F(TokenTest, TellsAttestedButFailedFromForged) {
  const auto status = [&](const std::string& token, UnixTime now = kNow) {
    return check(token, now).status;
  };
  const std::string valid = mint(true);
  const std::string decoy = mint(false);
  EXPECT_EQ(status(valid), TokenStatus::kValid);
  EXPECT_EQ(status(valid, kNow + Seconds(299)), TokenStatus::kValid);
  EXPECT_EQ(status(valid, kNow + Seconds(300)), TokenStatus::kExpired);
  EXPECT_EQ(status(decoy), TokenStatus::kInvalid);
  EXPECT_EQ(status(decoy, kNow + Seconds(1000)), TokenStatus::kInvalid);
  EXPECT_EQ(status(crypto::sign_hs256({{"exp", 1}}, Bytes(32, std::byte{9}))),
            TokenStatus::kForged);
  EXPECT_EQ(status(crypto::sign_hs256({{"did", "x"}}, secret_)), TokenStatus::kMalformed)
      << "no exp";
  EXPECT_EQ(status("a.b"), TokenStatus::kMalformed);
  EXPECT_EQ(status(""), TokenStatus::kMalformed);
  EXPECT_EQ(check(decoy).claims["did"], facts().device_id);
}

TEST_F(TokenTest, TakesNoAlgorithmFromTheToken) {
  const std::string payload = base64url_encode(as_bytes(R"({"exp":1800000000})"));
  const std::string none = base64url_encode(as_bytes(R"({"alg":"none"})")) + "." + payload + ".";
  EXPECT_EQ(check(none).status, TokenStatus::kForged);
  const std::string input = base64url_encode(as_bytes(R"({"alg":"HS512"})")) + "." + payload;
  const std::string hs512 =
      input + "." + base64url_encode(crypto::hmac_sha256(secret_, as_bytes(input)));
  EXPECT_EQ(check(hs512).status, TokenStatus::kForged);
}

TEST_F(TokenTest, AddsTheClaimsThatWereAskedFor) {
  const TokenMint mint({Seconds(60),
                        {"iss", "aud", "sub", "iat", "jti", "arc", "anno", "ipk", "lvl", "ear"},
                        "https://issuer.example",
                        "api"});
  TokenFacts facts = this->facts();
  facts.pay = base64_encode(Bytes(32));
  facts.annotations = {"root.su"};
  facts.ear = {{"a", 1}};
  const auto made = [&] {
    return mint.mint(keys_.signing(TokenKeys::kDefault), true, facts, kNow, random_);
  };
  const Json claims = check(made()).claims;
  const auto parts = crypto::parse_jws(made());
  const std::string text = parts->signing_input.substr(parts->signing_input.find('.') + 1);
  EXPECT_EQ(as_text(*base64url_decode(text)), parts->payload.dump()) << "sorted by name";
  EXPECT_EQ(claims["iss"], "https://issuer.example");
  EXPECT_EQ(claims["aud"], "api");
  EXPECT_EQ(claims["sub"], facts.device_id);
  EXPECT_EQ(claims["iat"], 1'790'000'000);
  EXPECT_EQ(claims["exp"], 1'790'000'060);
  EXPECT_EQ(claims["arc"], "AEAQ");
  EXPECT_EQ(claims["anno"], Json::array({"root.su"}));
  EXPECT_EQ(claims["pay"], *facts.pay);
  EXPECT_EQ(claims["lvl"], "software");
  EXPECT_EQ(claims["ear"], Json({{"a", 1}}));
  EXPECT_EQ(claims["ipk"], base64_encode(facts.installation_key));
  EXPECT_EQ(base64url_decode(claims["jti"].get<std::string>())->size(), 16U);
}

TEST_F(TokenTest, DerivesTheDecoySecretAsThePublishedRuleSays) {
  EXPECT_EQ(decoy_secret_, crypto::hkdf_sha256(secret_, "touchmark decoy secret v1", 32));
  EXPECT_NE(decoy_secret_, secret_);
}

class KeyedTokenTest
    : public TokenTest,
      public ::testing::WithParamInterface<std::optional<crypto::SigningAlgorithm>> {
 protected:
  TokenKey key(const std::string& kid) {
    return TokenKey::make(kid, GetParam(), random_.bytes(32));
  }
};

TEST_P(KeyedTokenTest, NamesItsKeyAndHasADecoyOfTheSameShape) {
  TokenKeys keys;
  keys.sets.push_back({"default", {key("one")}});
  const TokenKey& signing = keys.signing("no such set");
  const std::string valid = mint_.mint(signing, true, facts(), kNow, random_);
  const std::string decoy = mint_.mint(signing, false, facts(), kNow, random_);
  EXPECT_EQ(crypto::parse_jws(valid)->header["kid"], "one");
  EXPECT_EQ(crypto::parse_jws(valid)->header["alg"], signing.algorithm());
  EXPECT_EQ(valid.substr(0, valid.rfind('.')), decoy.substr(0, decoy.rfind('.')));
  EXPECT_EQ(valid.size(), decoy.size());
  EXPECT_EQ(check_token(keys, valid, kNow).status, TokenStatus::kValid);
  EXPECT_EQ(check_token(keys, decoy, kNow).status, TokenStatus::kInvalid);
  EXPECT_EQ(check_token(keys, valid, kNow + Seconds(300)).status, TokenStatus::kExpired);

  TokenKeys others;
  others.sets.push_back({"default", {key("one")}});
  EXPECT_EQ(check_token(others, valid, kNow).status, TokenStatus::kForged);
  EXPECT_EQ(check_token(others, decoy, kNow).status, TokenStatus::kForged);

  const Json jwks = keys.jwks(kNow);
  EXPECT_EQ(jwks["keys"].size(), GetParam() ? 1U : 0U) << "no secret is shown";
}

TEST_P(KeyedTokenTest, CountsWhateverStateItsKeyIsIn) {
  TokenKeys keys;
  keys.sets.push_back({"default", {key("one"), key("two"), key("three")}});
  auto& made = keys.sets.front().keys;
  made[0].state = TokenKeyState::kOld;
  made[2].state = TokenKeyState::kNext;
  EXPECT_EQ(&keys.signing("default"), &made[1]);
  for (const TokenKey& one : made) {
    const std::string token = mint_.mint(one, true, facts(), kNow, random_);
    EXPECT_EQ(check_token(keys, token, kNow).status, TokenStatus::kValid) << one.kid();
  }
}

INSTANTIATE_TEST_SUITE_P(Each, KeyedTokenTest,
                         ::testing::Values(std::nullopt, crypto::SigningAlgorithm::kRs256,
                                           crypto::SigningAlgorithm::kEs256,
                                           crypto::SigningAlgorithm::kEdDsa));

TEST_F(TokenTest, LongLivedTokensCountByTheirPublicKeyAlone) {
  const auto made = crypto::SigningKey::generate(crypto::SigningAlgorithm::kEs256);
  const auto half =
      crypto::SigningKey::from_public_der(crypto::SigningAlgorithm::kEs256, made.public_der());
  ASSERT_TRUE(half);
  TokenKeys keys = keys_of_secret(secret_);
  const TokenKey signer = TokenKey::of_pair("server", {made, made});
  const std::string token = mint_.mint(signer, true, facts(), kNow, random_);
  EXPECT_EQ(check_token(keys, token, kNow).status, TokenStatus::kForged);
  keys.long_lived.push_back({"batch", "server", *half, kNow, kNow + Seconds(1000), "alice"});
  EXPECT_EQ(check_token(keys, token, kNow).status, TokenStatus::kValid);
  EXPECT_EQ(keys.jwks(kNow)["keys"][0]["kid"], "server");
  EXPECT_TRUE(keys.jwks(kNow + Seconds(1000))["keys"].empty());
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
