#include "protocol/token_check.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "protocol/decoy.h"
#include "protocol/testing/vectors.h"

namespace touchmark::protocol {
namespace {

TEST(TokenCheck, GivesTheVerdictsOfTheVectors) {
  const Json vectors = testing::read_vector("token-check.json");
  const Bytes secret = base64_decode(vectors["secret"].get<std::string>()).value();
  const Bytes decoy = derive_decoy_secret(secret);
  ASSERT_EQ(base64_encode(decoy), vectors["decoy_secret"]);
  const UnixTime now = from_unix(vectors["now"].get<std::int64_t>());
  ASSERT_GT(vectors["cases"].size(), 100U);
  for (const Json& item : vectors["cases"]) {
    const TokenReport report = check_token(item["token"].get<std::string>(), secret, decoy, now);
    EXPECT_EQ(to_string(report.status), item["verdict"]) << item["name"];
  }
}

TEST(TokenCheck, ReadsTimes) {
  const auto time = [](const char* claims) { return numeric_date(Json::parse(claims), "exp"); };
  EXPECT_EQ(time(R"({"exp":0})"), 0);
  EXPECT_EQ(time(R"({"exp":1790000300.25})"), 1790000300.25);
  EXPECT_EQ(time(R"({"exp":1e3})"), 1000);
  EXPECT_EQ(time(R"({"exp":9007199254740991})"), 9007199254740991.0);
  for (const char* claims :
       {"{}", "[]", R"({"exp":null})", R"({"exp":true})", R"({"exp":"1"})", R"({"exp":[1]})",
        R"({"exp":-1})", R"({"exp":-0.5})", R"({"exp":9007199254740992})",
        R"({"exp":18446744073709551615})", R"({"exp":1e300})"}) {
    EXPECT_EQ(time(claims), std::nullopt) << claims;
  }
}

}  // namespace
}  // namespace touchmark::protocol
