#include "base/json_document.h"

#include <gtest/gtest.h>

namespace touchmark {
namespace {

// As text, the value or the error.
std::string as_tree(const std::string& text, JsonLimits limits = {}) {
  const auto tree = parse_json(text, limits);
  return tree ? dump_json(*tree) : tree.error().text();
}
std::string as_document(const std::string& text, JsonLimits limits = {}) {
  const auto document = parse_json_document(text, limits);
  return document ? dump_json(document->root().to_json()) : document.error().text();
}

// Plain documents, which are read as they stand, and those that another parser reads.
TEST(JsonDocument, TakesAndRefusesWhatParseJsonDoes) {
  for (const std::string text : {"{}",
                                 "[]",
                                 " [ ] ",
                                 "{\"b\":1,\"a\":[2,{\"d\":-3,\"c\":\"x\"}],\"\":null}",
                                 "true",
                                 "7",
                                 "-0",
                                 "\"\"",
                                 "1.5",
                                 "[1e2]",
                                 R"({"\u0061":1})",
                                 R"({"a":1,"\u0061":2})",
                                 R"({"b":1,"a":1,"b":2})",
                                 R"([{"x":{"b":[],"b":[]}}])",
                                 "18446744073709551615",
                                 "18446744073709551616",
                                 "\"caf\xc3\xa9\"",
                                 "\"\xc3\"",
                                 "",
                                 "[1,",
                                 "{\"a\" 1}",
                                 "{,}",
                                 "[1]x",
                                 "\xef\xbb\xbf{}",
                                 "{\"a\":1}\n",
                                 "01",
                                 "[true,false,null]"}) {
    EXPECT_EQ(as_document(text), as_tree(text)) << text;
  }
  const std::string nul("{}\0", 3);
  EXPECT_EQ(as_document(nul), as_tree(nul));
  for (const std::size_t depth : {2, 3, 4}) {
    const JsonLimits limits{.max_bytes = 20, .max_depth = depth};
    EXPECT_EQ(as_document("[[[1]]]", limits), as_tree("[[[1]]]", limits)) << depth;
    EXPECT_EQ(as_document("[[[1.5]]]", limits), as_tree("[[[1.5]]]", limits)) << depth;
  }
  EXPECT_EQ(as_document("[1]", {.max_bytes = 2}), as_tree("[1]", {.max_bytes = 2}));
}

TEST(JsonDocument, KeepsTheKindsOfNumbers) {
  const Json tree = Json::parse("[1,-1,18446744073709551615,1.5,true]");
  const JsonDocument of_tree(tree);
  const auto parsed = parse_json_document("[1,-1,18446744073709551615,1.5,true]");
  for (const JsonView list : {of_tree.root(), parsed->root()}) {
    ASSERT_EQ(list.size(), 5U);
    EXPECT_TRUE(list[0].is_unsigned());
    EXPECT_EQ(list[0].natural(), 1U);
    EXPECT_TRUE(list[1].is_integer());
    EXPECT_FALSE(list[1].is_unsigned());
    EXPECT_EQ(list[1].integer(), -1);
    EXPECT_EQ(list[2].natural(), UINT64_MAX);
    EXPECT_FALSE(list[3].is_integer());
    EXPECT_TRUE(list[4].is_boolean());
    EXPECT_EQ(list.to_json(), tree);
    EXPECT_EQ(list.to_json()[0].type(), tree[0].type());
  }
}

TEST(JsonDocument, FindsMembersInAnyOrderOfTheText) {
  const auto document = parse_json_document(R"({"c":3,"a":{"y":[],"x":"text"},"b":2,"":0})");
  ASSERT_TRUE(document);
  const JsonView root = document->root();
  std::string names;
  for (const JsonView member : root) names.append(member.name()).append(",");
  EXPECT_EQ(names, ",a,b,c,");
  EXPECT_EQ(root.find("c")->natural(), 3U);
  EXPECT_EQ(root.find("")->natural(), 0U);
  EXPECT_EQ(find_string(*find_object(root, "a"), "x"), "text");
  EXPECT_TRUE(find_array(*root.find("a"), "y"));
  EXPECT_FALSE(root.find("d"));
  EXPECT_FALSE(root.find("aa"));
  EXPECT_FALSE(root.find("b")->find("a")) << "no object";
  EXPECT_FALSE(find_object(root, "b"));
  EXPECT_EQ(root.find("b")->size(), 0U);
}

// An object of many members costs no more than its size: no key is compared with all others.
TEST(JsonDocument, ReadsManyMembersInAnyOrder) {
  std::string text = "{";
  constexpr int kMembers = 40'000;
  for (int i = kMembers; i > 0; --i) text += "\"" + std::to_string(i) + "\":" + "0,";
  text.back() = '}';
  const auto document = parse_json_document(text);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().size(), std::size_t{kMembers});
  text.insert(1, "\"1\":1,");
  EXPECT_EQ(parse_json_document(text).error().text(), parse_json(text).error().text());
  EXPECT_TRUE(parse_json_document(text).error().is(JsonError::kDuplicateKey));
}

TEST(JsonDocument, MovesWithItsText) {
  auto first = parse_json_document(R"(["s"])");
  ASSERT_TRUE(first);
  const JsonDocument second = std::move(*first);
  EXPECT_EQ(second.root()[0].text(), "s");
}

}  // namespace
}  // namespace touchmark
