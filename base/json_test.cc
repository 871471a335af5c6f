#include "base/json.h"

#include <gtest/gtest.h>

namespace touchmark {
namespace {

std::string parse_id(std::string_view text, JsonLimits limits = {}) {
  auto result = parse_json(text, limits);
  return result ? "no error" : result.error().id();
}

TEST(Json, BuildsWhatStandsThere) {
  std::string text =
      R"({"a":[1,-2,3.5,true,false,null,"x\u00e9"],"b":{"c":[[],{}]},"big":18446744073709551615})";
  auto value = parse_json(text);
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_EQ(*value, Json::parse(text));
  EXPECT_EQ(parse_json("7").value(), 7);
  EXPECT_EQ(parse_json(" \"x\" ").value(), "x");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\":}", "{a:1}", "01", "+1", "nul", "[1] 2", "'a'", "\"\t\"",
        "// c\n1", "NaN", "1e999", "\"\xff\"", "\"\\ud800\"", "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(parse_id(text), "json.syntax") << text;
  }
  EXPECT_EQ(parse_id(std::string_view("1\0", 2)), "json.syntax");
  EXPECT_EQ(parse_id(std::string_view("{}\0{}", 5)), "json.syntax");
}

TEST(Json, BoundsDepth) {
  auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(parse_id(nested(16)), "no error");
  EXPECT_EQ(parse_id(nested(17)), "json.too-deep");
  EXPECT_EQ(parse_id(std::string(500000, '[')), "json.too-deep");
  EXPECT_EQ(parse_id(R"({"a":{"b":1}})", {.max_bytes = 100, .max_depth = 1}), "json.too-deep");
}

TEST(Json, BoundsSize) {
  EXPECT_EQ(parse_id("[1]", {.max_bytes = 3, .max_depth = 1}), "no error");
  EXPECT_EQ(parse_id("[1]", {.max_bytes = 2, .max_depth = 1}), "json.too-large");
}

TEST(Json, RefusesDuplicateKeys) {
  EXPECT_EQ(parse_id(R"({"a":1,"a":1})"), "json.duplicate-key");
  EXPECT_EQ(parse_id(R"({"a":1,"\u0061":2})"), "json.duplicate-key");
  EXPECT_EQ(parse_id(R"([{"x":{"b":[],"b":[]}}])"), "json.duplicate-key");
  EXPECT_EQ(parse_id(R"([{"a":1},{"a":1}])"), "no error");
}

TEST(Json, GettersNameTheMember) {
  Json object = {{"text", "abc"}, {"number", 5}, {"float", 5.0}, {"big", UINT64_MAX}, {"b", "_-8"}};
  EXPECT_EQ(get_string(object, "text").value(), "abc");
  EXPECT_EQ(get_string(object, "none").error().id(), "json.missing-member");
  EXPECT_NE(get_string(object, "none").error().message().find("\"none\""), std::string::npos);
  EXPECT_EQ(get_string(object, "number").error().id(), "json.wrong-type");
  EXPECT_EQ(get_string(object, "text", 2).error().id(), "json.too-large");
  EXPECT_EQ(get_string(Json::array(), "text").error().id(), "json.wrong-type");

  EXPECT_EQ(get_int(object, "number", 5, 5).value(), 5);
  EXPECT_EQ(get_int(object, "number", 6, 9).error().id(), "json.out-of-range");
  EXPECT_EQ(get_int(object, "float", 0, 9).error().id(), "json.wrong-type");
  EXPECT_EQ(get_int(object, "big", INT64_MIN, INT64_MAX).error().id(), "json.out-of-range");

  EXPECT_EQ(get_base64url(object, "b").value(), to_bytes("\xff\xef"));
  EXPECT_EQ(get_base64url(object, "b", 1).error().id(), "json.too-large");
  EXPECT_EQ(get_base64url({{"b", "a+"}}, "b").error().id(), "json.wrong-type");
}

TEST(Json, FindersGiveNothingOfAnotherType) {
  Json object = {{"o", Json::object()}, {"a", Json::array()}, {"s", "x"}};
  EXPECT_NE(find_object(object, "o"), nullptr);
  EXPECT_EQ(find_object(object, "a"), nullptr);
  EXPECT_NE(find_array(object, "a"), nullptr);
  EXPECT_EQ(find_array(object, "none"), nullptr);
  EXPECT_EQ(find_string(object, "s"), "x");
  EXPECT_EQ(find_string(object, "o"), std::nullopt);
  EXPECT_EQ(find_string(Json(3), "s"), std::nullopt);
}

TEST(Json, DumpReplacesInvalidUtf8) {
  EXPECT_EQ(dump_json({{"b", 1}, {"a", "\xff"}}), "{\"a\":\"\xef\xbf\xbd\",\"b\":1}");
}

}  // namespace
}  // namespace touchmark
