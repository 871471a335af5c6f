#include "cli/commands/offline_check.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/io/error.h"
#include "cli/testing/test_world.h"
#include "crypto/crypto.h"
#include "crypto/jose.h"

namespace touchmark::cli::commands {
namespace {

const UnixTime kNow = from_unix(1'600'000'000);
using verifier::appraisal::TokenKeys;

const Json kClaims = {{"did", "VpbvaHuFztxhsx472W4Vgg=="}, {"exp", 1'600'000'300}, {"ip", "::1"}};

Bytes secret() { return Bytes(32, std::byte{7}); }

TokenVerdict check_with_secret(const std::string& token, const Bytes& secret, UnixTime now) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "secret";
  EXPECT_TRUE(write_file_atomic(path, as_bytes(base64_encode(secret))));
  return check_offline(token, path, now).value();
}

// Of each key: kid, and the byte that its secret is made of.
std::string described(const Result<TokenKeys>& keys) {
  std::string out;
  if (!keys) return keys.error().id();
  for (const auto& key : keys->sets.front().keys) {
    out += key.kid() + "=" + std::to_string(static_cast<int>(key.secrets()->secret.front())) + " ";
  }
  return out;
}

TEST(CheckWithSecret, TellsTheFiveKindsApart) {
  const Bytes decoy = crypto::hkdf_sha256(secret(), "touchmark decoy secret v1", 32);
  Json expired = kClaims;
  expired["exp"] = to_unix(kNow);

  const TokenVerdict valid =
      check_with_secret(crypto::sign_hs256(kClaims, secret()), secret(), kNow);
  EXPECT_EQ(valid.status, "valid");
  EXPECT_EQ(valid.claims, kClaims);
  EXPECT_EQ(check_with_secret(crypto::sign_hs256(expired, secret()), secret(), kNow).status,
            "expired");
  EXPECT_EQ(check_with_secret(crypto::sign_hs256(kClaims, decoy), secret(), kNow).status,
            "invalid");
  EXPECT_EQ(check_with_secret(crypto::sign_hs256(expired, decoy), secret(), kNow).status,
            "invalid");
  const Bytes other(32, std::byte{8});
  EXPECT_EQ(check_with_secret(crypto::sign_hs256(kClaims, other), secret(), kNow).status, "forged");
  EXPECT_EQ(check_with_secret("not.a.token", secret(), kNow).status, "malformed");
  EXPECT_TRUE(check_with_secret("", secret(), kNow).claims.is_null());
}

TEST(CheckWithSecret, NeedsAnExpiry) {
  const TokenVerdict verdict =
      check_with_secret(crypto::sign_hs256({{"did", "x"}}, secret()), secret(), kNow);
  EXPECT_EQ(verdict.status, "malformed");
  EXPECT_EQ(verdict.claims, Json({{"did", "x"}}));
}

TEST(CheckWithSecret, GivesTheVerdictsOfTheVectors) {
  std::ifstream file("protocol/vectors/token-check.json");
  const Json vectors = Json::parse(file);
  const Bytes secret = base64_decode(vectors["secret"].get<std::string>()).value();
  const UnixTime now = from_unix(vectors["now"].get<std::int64_t>());
  for (const Json& item : vectors["cases"]) {
    EXPECT_EQ(check_with_secret(item["token"].get<std::string>(), secret, now).status,
              item["verdict"])
        << item["name"];
  }
}

TEST(CheckWithSecret, TakesNoAlgorithmFromTheToken) {
  const std::string none = base64url_encode(as_bytes(R"({"alg":"none","typ":"JWT"})")) + "." +
                           base64url_encode(as_bytes(kClaims.dump())) + ".";
  EXPECT_NE(check_with_secret(none, secret(), kNow).status, "valid");
}

TEST(SecretFromFile, ReadsEveryFormatThatSecretGetPrints) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "secret";
  const std::string text = base64_encode(secret());
  for (const std::string& content :
       {text, text + "\n", "TOUCHMARK_SECRET=" + text + "\n",
        "# of the service\nTOUCHMARK_MODE=report\nTOUCHMARK_SECRET=" + text + "\n",
        Json{{"alg", "HS256"}, {"secret", text}, {"decoy_secret", "x"}}.dump()}) {
    ASSERT_TRUE(write_file_atomic(path, as_bytes(content)));
    EXPECT_EQ(described(secrets_from_file(path)), "=7 ") << content;
  }
  const std::string next = base64_encode(Bytes(40, std::byte{9}));
  for (const std::string& content :
       {text + ",k1:" + next, " " + text + " , k1:" + next + "\n",
        "TOUCHMARK_SECRET=" + text + ",k1:" + next,
        Json{{"secret", text},
             {"secrets", {{{"kid", ""}, {"secret", text}}, {{"kid", "k1"}, {"secret", next}}}}}
            .dump()}) {
    ASSERT_TRUE(write_file_atomic(path, as_bytes(content)));
    EXPECT_EQ(described(secrets_from_file(path)), "=7 k1=9 ") << content;
  }
  for (const std::string& content :
       {std::string(), std::string("short"), std::string("AAAA"), std::string("{}"),
        std::string("TOUCHMARK_SECRET="), text + ",", "," + text,
        text + ",k1:", std::string(R"({"secrets":[]})")}) {
    ASSERT_TRUE(write_file_atomic(path, as_bytes(content)));
    EXPECT_EQ(described(secrets_from_file(path)), "cli.bad-secret") << content;
  }
  EXPECT_TRUE(secrets_from_file(folder.path() / "none").error().is(FileError::kNotFound));
}

}  // namespace
}  // namespace touchmark::cli::commands
