#include "base/json.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/support/short_memory.h"

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

// The reader for plain documents and the parser for all others take the same for the same.
TEST(Json, PlainDocumentsReadAsOthersDo) {
  for (const char* text : {"{}",
                           "[]",
                           " [ ] ",
                           "{ }",
                           "\t{\n\"a\"\r: 1 , \"b\" :[ 1 ,2 ] } ",
                           "0",
                           "-0",
                           "-1",
                           "true",
                           "false",
                           "null",
                           "[true,false,null]",
                           "\"\"",
                           "\"a b\"",
                           R"({"":""})",
                           "999999999999999999",
                           "-999999999999999999",
                           "1000000000000000000",
                           "9223372036854775807",
                           "9223372036854775808",
                           "-9223372036854775808",
                           "18446744073709551615",
                           "18446744073709551616",
                           "1.0",
                           "1e2",
                           "-1.5E-3",
                           R"("\\\"\n\u0041")",
                           "\"\xc3\xa9\"",
                           R"([1,"\u00e9"])",
                           R"({"a":1.5,"b":[{}]})",
                           "\"\x7f\""}) {
    const auto value = parse_json(text);
    ASSERT_TRUE(value) << text << ": " << value.error().text();
    const Json right = Json::parse(text);
    EXPECT_EQ(*value, right) << text;
    EXPECT_EQ(value->type(), right.type()) << text << ": signed, unsigned or neither";
  }
  for (const char* text :
       {"[",       "]",        "[1",        "[1,",       "[1 2]",      "[,1]", "{\"a\"",
        "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\" 1}", "{\"a\":1,}", "{,}",  "{1:2}",
        "00",      "-",        "-01",       "--1",       "1-",         "1.",   ".5",
        "1e",      "truee",    "tru",       "nulls",     "\"",         "\"a",  "\"\n\"",
        "{} {}",   "{}]",      "1,",        "\"\\x\"",   "\"\xc3\"",   "[1]x"}) {
    EXPECT_EQ(parse_id(text), "json.syntax") << text;
  }
}

TEST(JsonWriter, WritesWhatDumpDoes) {
  JsonWriter out;
  out.begin_object().key("a").begin_array().end_array();
  out.key("b").begin_array().number(std::int64_t{-1}).number(std::uint64_t{UINT64_MAX});
  out.begin_object().end_object().boolean(true).boolean(false).end_array();
  out.key("c").begin_object().key("d").text("x y~").key("e").text("").end_object();
  out.key("f").literal(R"({"g":null})").end_object();
  const std::string text = out.take();
  EXPECT_EQ(text, Json::parse(text).dump());
  EXPECT_EQ(text, R"({"a":[],"b":[-1,18446744073709551615,{},true,false],"c":{"d":"x y~","e":""},)"
                  R"("f":{"g":null}})");
}

TEST(JsonWriter, EscapesAsDumpDoes) {
  for (int c = 0; c < 256; ++c) {
    const std::string text = "a" + std::string(1, static_cast<char>(c)) + "b";
    EXPECT_EQ(JsonWriter().text(text).take(), dump_json(Json(text))) << c;
    EXPECT_EQ(JsonWriter().begin_object().key(text).number(std::int64_t{1}).end_object().take(),
              dump_json({{text, 1}}))
        << c;
  }
  EXPECT_EQ(JsonWriter().text("caf\xc3\xa9").take(), "\"caf\xc3\xa9\"");
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

// The bound that json.h promises, for the trees that take most.
TEST(Json, TakesLittleMemoryToDestroy) {
  const auto taken = [](const std::string& text) {
    std::optional<Json> tree(parse_json(text).value());
    const testing::CountedMemory memory;
    tree.reset();
    return memory.bytes();
  };
  const auto repeated = [](const std::string& what, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += (i == 0 ? "" : ",") + what;
    return out;
  };
  const std::string deep = std::string(16, '[') + std::string(16, ']');
  std::string deep_members = "1";
  for (int i = 0; i < 16; ++i) deep_members = R"({"a":)" + deep_members + "}";
  EXPECT_GT(taken(deep), 0U) << "nlohmann's destructor has changed: json.h need not warn of it";
  EXPECT_LE(taken(deep), 32 * deep.size());
  EXPECT_LE(taken(deep_members), 32 * deep_members.size());
  std::string members;
  for (int i = 0; i < 10'000; ++i) {
    members += (i == 0 ? R"(")" : R"(,")") + std::to_string(i) + R"(":0)";
  }
  for (const std::string& wide :
       {"[" + repeated("0", 100'000) + "]", "[" + repeated("[0,0]", 50'000) + "]",
        "[" + repeated("[]", 100'000) + "]",
        "[" + repeated("[" + repeated("0", 500) + "]", 200) + "]", "{" + members + "}",
        "[[[" + repeated(deep.substr(3, 26), 10'000) + "]]]"}) {
    EXPECT_LE(taken(wide), 32 * wide.size()) << wide.substr(0, 20);
  }
}

}  // namespace
}  // namespace touchmark
