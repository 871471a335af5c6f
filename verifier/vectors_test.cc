// The committed golden vectors are what this code makes, and what it accepts.
#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/token.h"
#include "verifier/state/configuration.h"
#include "verifier/testing/vectors.h"

namespace touchmark::verifier {
namespace {

Json committed(const std::string& name) {
  std::ifstream file("protocol/vectors/" + name);
  EXPECT_TRUE(file) << name << ": run from the top of the source tree";
  return Json::parse(file, nullptr, false);
}

TEST(Vectors, AreWhatThisCodeMakes) {
  for (auto& [name, made] : testing::make_vectors()) {
    Json file = committed(name);
    if (name == "evidence.json" || name == "config.json") {
      // The signed parts are equal; the signatures are not (ECDSA).
      const auto signed_part = [](Json& vector) {
        const std::string jws = vector["jws"];
        vector["jws"] = jws.substr(0, jws.rfind('.'));
      };
      signed_part(file);
      signed_part(made);
    }
    EXPECT_EQ(file, made) << name << ": run make_vectors protocol/vectors when this is meant";
  }
}

TEST(Vectors, EvidenceVerifies) {
  const Json vector = committed("evidence.json");
  const auto evidence = protocol::decode_evidence(vector["jws"].get<std::string>());
  ASSERT_TRUE(evidence) << evidence.error().text();
  EXPECT_EQ(evidence->did, vector["did"]);
  EXPECT_EQ(base64url_encode(evidence->nonce), vector["challenge"]["nonce"]);
}

TEST(Vectors, ConfigurationVerifiesUnderTheKeyItNames) {
  const Json vector = committed("config.json");
  const auto key = crypto::from_jwk(vector["payload"]["config_key"]);
  ASSERT_TRUE(key);
  EXPECT_TRUE(state::parse_configuration(vector["jws"].get<std::string>(), *key));
}

TEST(Vectors, TokensOfOthersHaveTheVerdictsThatStandThere) {
  const Json vectors = committed("token-check.json");
  const appraisal::TokenKeys keys =
      appraisal::keys_of_secret(base64_decode(vectors["secret"].get<std::string>()).value());
  const UnixTime now = from_unix(vectors["now"].get<std::int64_t>());
  for (const Json& item : vectors["cases"]) {
    EXPECT_EQ(to_string(appraisal::check_token(keys, item["token"].get<std::string>(), now).status),
              item["verdict"])
        << item["name"];
  }
}

TEST(Vectors, TokensHaveTheStatusOfTheirNames) {
  const Json vector = committed("token.json");
  const appraisal::TokenKeys keys =
      appraisal::keys_of_secret(base64_decode(vector["secret"].get<std::string>()).value());
  EXPECT_EQ(base64_encode(keys.signing("").secrets()->decoy), vector["decoy_secret"]);
  const auto status = [&](const char* name) {
    return appraisal::check_token(keys, vector[name].get<std::string>(), SystemClock().now())
        .status;
  };
  EXPECT_EQ(status("valid"), appraisal::TokenStatus::kValid);
  EXPECT_EQ(status("bound"), appraisal::TokenStatus::kValid);
  EXPECT_EQ(status("decoy"), appraisal::TokenStatus::kInvalid);
  EXPECT_EQ(status("expired"), appraisal::TokenStatus::kExpired);
  EXPECT_EQ(status("forged"), appraisal::TokenStatus::kForged);
  EXPECT_EQ(status("alg_none"), appraisal::TokenStatus::kForged);
  EXPECT_EQ(status("other_alg"), appraisal::TokenStatus::kForged);
}

}  // namespace
}  // namespace touchmark::verifier
