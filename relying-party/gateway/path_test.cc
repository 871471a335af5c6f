#include "relying-party/gateway/path.h"

#include <gtest/gtest.h>

namespace touchmark::relying::gateway {
namespace {

TEST(GatewayPath, OneSpellingOfEachPath) {
  const std::array<const char*, 3> cases[] = {
      {"/", "/", "/"},
      {"/v1/rates", "/v1/rates", "/v1/rates"},
      {"/v1/rates/", "/v1/rates", "/v1/rates/"},
      {"//v1///rates", "/v1/rates", "/v1/rates"},
      {"/./v1/./rates", "/v1/rates", "/v1/rates"},
      {"/v2/../v1/rates", "/v1/rates", "/v1/rates"},
      {"/v2/%2e%2E/v1/rates", "/v1/rates", "/v1/rates"},
      {"/v1/%72ates", "/v1/rates", "/v1/rates"},
      {"/v1/rates/.", "/v1/rates", "/v1/rates/"},
      {"/v1/rates/x/..", "/v1/rates", "/v1/rates/"},
      {"/a/..", "/", "/"},
      {"/v1/a%20b", "/v1/a b", "/v1/a%20b"},
      {"/v1/a%2bb", "/v1/a+b", "/v1/a%2Bb"},
      {"/v1/a+b", "/v1/a+b", "/v1/a+b"},
      {"/v1/%c3%a9", "/v1/\xc3\xa9", "/v1/%C3%A9"},
      {"/v1?x=/../&y=%2e", "/v1", "/v1?x=/../&y=%2e"},
      {"/?", "/", "/?"},
      {"/...", "/...", "/..."},
  };
  for (const auto& [target, compared, sent] : cases) {
    const auto read = read_target(target);
    ASSERT_TRUE(read) << target;
    EXPECT_EQ(read->compared, compared) << target;
    EXPECT_EQ(read->sent, sent) << target;
    // What is sent reads as what was compared.
    const auto again = read_target(read->sent);
    ASSERT_TRUE(again) << target;
    EXPECT_EQ(again->compared, read->compared) << target;
    EXPECT_EQ(again->sent, read->sent) << target;
  }
}

TEST(GatewayPath, WhatTwoServersReadInTwoWaysIsRefused) {
  for (const char* target : {"",
                             "*",
                             "v1",
                             "http://other.example/v1",
                             "/..",
                             "/v1/../..",
                             "/%2e%2e",
                             "/v1%2frates",
                             "/v1%5crates",
                             "/v1\\rates",
                             "/v1;x",
                             "/v1/..;/v2",
                             "/v1%3bx",
                             "/v1%00",
                             "/v1%0a",
                             "/v1%7f",
                             "/v1%",
                             "/v1%2",
                             "/v1%zz",
                             "/v1%252e",
                             "/v1%25",
                             "/v1#x",
                             "/v1?x#y",
                             "/v1%ff",
                             "/v1%c0%ae",
                             "/v1 x",
                             "/v1\"",
                             "/v1<",
                             "/v1|",
                             "/v1{",
                             "/v1?\x01"}) {
    EXPECT_FALSE(read_target(target)) << target;
  }
}

PathRule::Fit fit(std::string_view rule, std::string_view path) {
  const auto parsed = PathRule::parse(rule);
  EXPECT_TRUE(parsed) << rule;
  return parsed ? parsed->fit(path) : PathRule::Fit::kNo;
}

TEST(GatewayRule, FitsAPathOrWhatIsBelow) {
  using enum PathRule::Fit;
  EXPECT_EQ(fit("/v1/rates", "/v1/rates"), kYes);
  EXPECT_EQ(fit("/v1/rates/", "/v1/rates"), kYes);
  EXPECT_EQ(fit("/v1/rates", "/v1/rates/x"), kNo);
  EXPECT_EQ(fit("/v1/rates", "/v1/rate"), kNo);
  EXPECT_EQ(fit("/v1/*", "/v1"), kYes);
  EXPECT_EQ(fit("/v1/*", "/v1/x/y"), kYes);
  EXPECT_EQ(fit("/v1/*", "/v10"), kNo);
  EXPECT_EQ(fit("/v1*", "/v10"), kYes);
  EXPECT_EQ(fit("/*", "/anything"), kYes);
  EXPECT_EQ(fit("/*", "/"), kYes);
  EXPECT_EQ(fit("/", "/"), kYes);
  EXPECT_EQ(fit("/", "/x"), kNo);
}

TEST(GatewayRule, AnotherCaseIsNeitherInNorOut) {
  using enum PathRule::Fit;
  EXPECT_EQ(fit("/v1/rates", "/V1/rates"), kOtherCase);
  EXPECT_EQ(fit("/v1/*", "/V1/rates"), kOtherCase);
  EXPECT_EQ(fit("/v1/*", "/v1/RATES"), kYes);
  EXPECT_EQ(fit("/v1/*", "/V2/rates"), kNo);
}

TEST(GatewayRule, IsAPathThatARequestCanHave) {
  for (const char* rule : {"", "v1", "*", "/v1//x", "/v1/../x", "/./x", "/a*b", "/v1%20", "/v1?x",
                           "/v1;x", "/v1\\x", "/v1#x", "/\xff"}) {
    EXPECT_FALSE(PathRule::parse(rule)) << rule;
  }
}

}  // namespace
}  // namespace touchmark::relying::gateway
