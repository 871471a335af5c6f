#include "protocol/messages/answer.h"

#include <gtest/gtest.h>

#include "protocol/limits.h"

namespace touchmark::protocol {
namespace {

AttestAnswer full_answer() {
  return {.token = "a.b.c",
          .expires_in = Seconds(300),
          .challenge = Challenge{.nonce = Bytes(kNonceBytes),
                                 .expires_in = Seconds(120),
                                 .ranges = {{"classes.dex", 0, 4096}},
                                 .time = from_unix(1'790'000'000)},
          .config = "d.e.f",
          .arc = "AEAQ",
          .reasons = std::vector<std::string>{"root.su"}};
}

TEST(AnswerTest, IsReadBackAsItWasMade) {
  AttestAnswer no_reason = full_answer();
  no_reason.reasons->clear();
  for (const AttestAnswer& answer :
       {full_answer(), no_reason, AttestAnswer{.token = "t", .expires_in = Seconds(1)}}) {
    auto read = decode_attest_answer(encode_attest_answer(answer));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, answer);
  }
}

TEST(AnswerTest, IsPadded) {
  const std::string body = encode_attest_answer(full_answer());
  EXPECT_EQ(body.size(), kAnswerQuantum);
  EXPECT_EQ(body.back(), ' ');
  EXPECT_EQ(body.substr(0, body.find_last_not_of(' ') + 1),
            R"({"arc":"AEAQ","challenge":{"expires_in":120,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA)"
            R"(AAAAAAAAAAAAAAAAAAAAAAAA","ranges":[["classes.dex",0,4096]],"time":1790000000},)"
            R"("config":"d.e.f","expires_in":300,"reasons":["root.su"],"token":"a.b.c"})");
  AttestAnswer larger = full_answer();
  larger.config.assign(kAnswerQuantum, 'c');
  EXPECT_EQ(encode_attest_answer(larger).size(), 2 * kAnswerQuantum);
}

TEST(AnswerTest, ReadsOneWithoutAChallengeThatItCanUse) {
  Json json = *parse_json(encode_attest_answer(full_answer()));
  json["challenge"]["ranges"] = 5;
  json["reasons"] = "none";
  json["arc"] = 7;
  json["config"] = nullptr;
  auto answer = decode_attest_answer(json.dump());
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_FALSE(answer->challenge);
  EXPECT_FALSE(answer->reasons);
  EXPECT_FALSE(answer->arc);
  EXPECT_EQ(answer->config, "");
}

TEST(AnswerTest, RefusesOneWithoutAToken) {
  const auto refused = [](const char* name, const Json& value) {
    Json json = *parse_json(encode_attest_answer(full_answer()));
    json[name] = value;
    const auto read = decode_attest_answer(json.dump());
    return !read && read.error().is(AnswerError::kMalformed);
  };
  EXPECT_TRUE(refused("token", nullptr));
  EXPECT_TRUE(refused("token", std::string(kMaxToken + 1, 'a')));
  EXPECT_TRUE(refused("expires_in", 0));
  EXPECT_TRUE(refused("expires_in", "300"));
  EXPECT_FALSE(decode_attest_answer(""));
  EXPECT_FALSE(decode_attest_answer(std::string(kMaxAnswerBytes + 1, ' ')));
}

TEST(AnswerTest, RequestsAreReadBackAsTheyWereMade) {
  EXPECT_EQ(encode_attest_request("a.b.c"), R"({"evidence":"a.b.c"})");
  EXPECT_EQ(decode_attest_request(encode_attest_request("a.b.c")).value(), "a.b.c");
  for (const char* body :
       {R"({"evidence": "a.b.c"})", R"( { "evidence" : "a.b.c" } )", R"({"evidence":"a.b\u002ec"})",
        R"({"evidence":"a.b.c","x":"y"})", R"({"x":"y","evidence":"a.b.c"})"}) {
    EXPECT_EQ(decode_attest_request(body), "a.b.c") << body;
  }
  for (const char* body : {R"({"evidence":"})", R"({"evidence": "a)", R"({"evidence":"a"}})",
                           R"({"evidence":"a","evidence":"b"})", R"({"evidence":"a.b.c"}x)"}) {
    EXPECT_FALSE(decode_attest_request(body)) << body;
  }
  for (const char* body : {"", "{}", "[]", R"({"evidence":1})", R"({"evidence":[[[[[]]]]]})"}) {
    EXPECT_FALSE(decode_attest_request(body)) << body;
  }
  EXPECT_FALSE(decode_attest_request(std::string(kMaxAttestBody + 1, ' ')));
}

}  // namespace
}  // namespace touchmark::protocol
