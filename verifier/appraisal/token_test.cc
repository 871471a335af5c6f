#include "verifier/appraisal/token.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"
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
  TokenMint mint_{Bytes(32, std::byte{1}), {}};
};

TEST_F(TokenTest, SaysWhatTheArticleShows) {
  const std::string token = mint_.mint(true, facts(), kNow, random_);
  auto parsed = crypto::verify_hs256(token, mint_.secret(), "JWT");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->payload.dump(),
            R"({"did":"VpbvaHuFztxhsx472W4Vgg==","exp":1790000300,"ip":"80.229.113.220"})");
  EXPECT_EQ(parsed->header.dump(), R"({"alg":"HS256","typ":"JWT"})");
}

TEST_F(TokenTest, DecoyDiffersInTheSignatureOnly) {
  const std::string valid = mint_.mint(true, facts(), kNow, random_);
  const std::string decoy = mint_.mint(false, facts(), kNow, random_);
  EXPECT_EQ(valid.size(), decoy.size());
  EXPECT_EQ(valid.substr(0, valid.rfind('.')), decoy.substr(0, decoy.rfind('.')));
  EXPECT_NE(valid, decoy);
  EXPECT_FALSE(crypto::verify_hs256(decoy, mint_.secret()));
  EXPECT_TRUE(crypto::verify_hs256(decoy, mint_.decoy_secret()));
  EXPECT_FALSE(crypto::verify_hs256(valid, mint_.decoy_secret()));
}

TEST_F(TokenTest, TellsAttestedButFailedFromForged) {
  const auto status = [&](const std::string& token, UnixTime now = kNow) {
    return mint_.check(token, now).status;
  };
  const std::string valid = mint_.mint(true, facts(), kNow, random_);
  const std::string decoy = mint_.mint(false, facts(), kNow, random_);
  EXPECT_EQ(status(valid), TokenStatus::kValid);
  EXPECT_EQ(status(valid, kNow + Seconds(299)), TokenStatus::kValid);
  EXPECT_EQ(status(valid, kNow + Seconds(300)), TokenStatus::kExpired);
  EXPECT_EQ(status(decoy), TokenStatus::kInvalid);
  EXPECT_EQ(status(decoy, kNow + Seconds(1000)), TokenStatus::kInvalid);
  EXPECT_EQ(status(crypto::sign_hs256({{"exp", 1}}, Bytes(32, std::byte{9}))),
            TokenStatus::kForged);
  EXPECT_EQ(status(crypto::sign_hs256({{"did", "x"}}, mint_.secret())), TokenStatus::kMalformed)
      << "no exp";
  EXPECT_EQ(status("a.b"), TokenStatus::kMalformed);
  EXPECT_EQ(status(""), TokenStatus::kMalformed);
  EXPECT_EQ(mint_.check(decoy, kNow).claims["did"], facts().device_id);
}

TEST_F(TokenTest, TakesNoAlgorithmFromTheToken) {
  const std::string payload = base64url_encode(as_bytes(R"({"exp":1800000000})"));
  const std::string none = base64url_encode(as_bytes(R"({"alg":"none"})")) + "." + payload + ".";
  EXPECT_EQ(mint_.check(none, kNow).status, TokenStatus::kForged);
  const std::string input = base64url_encode(as_bytes(R"({"alg":"HS512"})")) + "." + payload;
  const std::string hs512 =
      input + "." + base64url_encode(crypto::hmac_sha256(mint_.secret(), as_bytes(input)));
  EXPECT_EQ(mint_.check(hs512, kNow).status, TokenStatus::kForged);
}

TEST_F(TokenTest, AddsTheClaimsThatWereAskedFor) {
  const TokenMint mint(Bytes(32, std::byte{1}),
                       {Seconds(60),
                        {"iss", "aud", "sub", "iat", "jti", "arc", "anno", "ipk", "lvl", "ear"},
                        "https://issuer.example",
                        "api"});
  TokenFacts facts = this->facts();
  facts.pay = base64_encode(Bytes(32));
  facts.annotations = {"root.su"};
  facts.ear = {{"a", 1}};
  const Json claims = mint.check(mint.mint(true, facts, kNow, random_), kNow).claims;
  const auto parts = crypto::parse_jws(mint.mint(true, facts, kNow, random_));
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
  EXPECT_EQ(mint_.decoy_secret(),
            crypto::hkdf_sha256(mint_.secret(), "touchmark decoy secret v1", 32));
  EXPECT_NE(mint_.decoy_secret(), mint_.secret());
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
