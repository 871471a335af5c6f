#include "protocol/messages/challenge.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "protocol/limits.h"
#include "protocol/testing/vectors.h"

namespace touchmark::protocol {
namespace {

ChallengeRequest sample_request() {
  ChallengeRequest request{.account = "account", .measurement = {}, .code = {}};
  request.measurement.fill(std::byte{7});
  request.code = {{"classes.dex", 300'000}, {"lib/arm64-v8a/libapp.so", 1'000}};
  return request;
}

Challenge sample_challenge() {
  return {.nonce = Bytes(kNonceBytes, std::byte{9}),
          .expires_in = Seconds(120),
          .ranges = {{"classes.dex", 4096, 4096}, {"classes.dex", 0, 16}},
          .time = from_unix(1'790'000'000)};
}

TEST(ChallengeTest, RequestsAreReadBackAsTheyWereMade) {
  for (const ChallengeRequest& request :
       {sample_request(), ChallengeRequest{.account = "a", .measurement = {}, .code = {}}}) {
    auto read = decode_challenge_request(encode_challenge_request(request));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, request);
  }
}

TEST(ChallengeTest, RequestsHaveThisText) {
  EXPECT_EQ(encode_challenge_request(sample_request()),
            R"({"account":"account","code":[["classes.dex",300000],["lib/arm64-v8a/libapp.so",)"
            R"(1000]],"measurement":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"})");
}

TEST(ChallengeTest, RequestsNeedNotNameTheirCode) {
  Json json = *parse_json(encode_challenge_request(sample_request()));
  json.erase("code");
  EXPECT_TRUE(decode_challenge_request(json.dump())->code.empty());
}

TEST(ChallengeTest, RequestsNameTheFirstPartsOnly) {
  ChallengeRequest request = sample_request();
  request.code.assign(kMaxClaimedParts + 1, {"a", 1});
  EXPECT_EQ(decode_challenge_request(encode_challenge_request(request))->code.size(),
            kMaxClaimedParts);
}

TEST(ChallengeTest, RefusesOtherRequests) {
  const auto refused = [](const char* pointer, const Json& value) {
    Json json = *parse_json(encode_challenge_request(sample_request()));
    json[Json::json_pointer(pointer)] = value;
    const auto read = decode_challenge_request(json.dump());
    return !read && read.error().is(ChallengeError::kMalformed);
  };
  EXPECT_TRUE(refused("/account", 5));
  EXPECT_TRUE(refused("/account", std::string(257, 'a')));
  EXPECT_TRUE(refused("/measurement", "AAAA"));
  EXPECT_TRUE(refused("/measurement", nullptr));
  EXPECT_TRUE(refused("/code", Json::object()));
  EXPECT_TRUE(refused("/code", Json(std::vector<Json>(513, Json{"a", 1}))));
  for (const char* part : {"[]", "[1,1]", R"(["a"])", R"(["a",0])", R"(["a",-1])", R"(["a",1,2])",
                           R"(["a",1099511627777])", R"(["a",1.5])", R"(["a","1"])", "7"}) {
    EXPECT_TRUE(refused("/code/0", Json::parse(part))) << part;
  }
  EXPECT_FALSE(decode_challenge_request(""));
  EXPECT_FALSE(decode_challenge_request("[]"));
  EXPECT_FALSE(decode_challenge_request(std::string(kMaxChallengeBody + 1, ' ')));
}

TEST(ChallengeTest, IsReadBackAsItWasMade) {
  const Json json = *parse_json(encode_challenge(sample_challenge()));
  auto read = decode_challenge(JsonDocument(json).root());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, sample_challenge());
  EXPECT_EQ(decode_challenge_answer(json.dump()), sample_challenge());
}

TEST(ChallengeTest, TheGoldenVectorIsReadAndMadeAgain) {
  const Json vector = testing::read_vector("challenge.json");
  const Json object{{"nonce", vector["nonce"]},
                    {"expires_in", 120},
                    {"ranges", vector["ranges"]},
                    {"time", 1'790'000'000}};
  auto challenge = decode_challenge(JsonDocument(object).root());
  ASSERT_TRUE(challenge) << challenge.error().text();
  EXPECT_EQ(challenge->nonce.size(), kNonceBytes);
  EXPECT_EQ(challenge->ranges.size(), kChallengeRanges);
  EXPECT_EQ(encode_challenge(*challenge), dump_json(object));
}

TEST(ChallengeTest, RefusesOtherChallenges) {
  const auto refused = [](const char* name, const Json& value) {
    Json json = *parse_json(encode_challenge(sample_challenge()));
    json[name] = value;
    return !decode_challenge(JsonDocument(json).root());
  };
  EXPECT_TRUE(refused("nonce", "="));
  EXPECT_TRUE(refused("nonce", 1));
  EXPECT_TRUE(refused("nonce", base64url_encode(Bytes(kMaxNonceText + 1))));
  EXPECT_TRUE(refused("expires_in", 0));
  EXPECT_TRUE(refused("expires_in", 86401));
  EXPECT_TRUE(refused("ranges", "none"));
  EXPECT_TRUE(refused("ranges", Json(std::vector<Json>(65, Json{"a", 0, 1}))));
  EXPECT_FALSE(refused("time", "noon"));
  EXPECT_FALSE(decode_challenge(JsonDocument(Json("text")).root()));
  EXPECT_FALSE(decode_challenge_answer("[]"));
}

}  // namespace
}  // namespace touchmark::protocol
