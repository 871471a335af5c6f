#include "base/text.h"

#include <gtest/gtest.h>

namespace touchmark {
namespace {

TEST(EditDistance, CountsInsertDeleteReplaceAndSwap) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("check", "chek"), 1U);
  EXPECT_EQ(edit_distance("check", "chekc"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Shortened, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(shortened("short"), "short");
  EXPECT_EQ(shortened(std::string(100, 'x')), std::string(100, 'x'));
  EXPECT_EQ(shortened(std::string(101, 'x')), std::string(100, 'x') + "...");
  EXPECT_EQ(shortened("ab\xc3\xa9z", 3), "ab...");
  EXPECT_EQ(shortened("ab\xc3\xa9z", 4), "ab\xc3\xa9...");
  EXPECT_EQ(shortened("\x80\x80\x80", 1), "...");
}

TEST(Nearest, FindsTheMistypedWord) {
  const std::vector<std::string> words{"registration", "token", "api", "sdk"};
  EXPECT_EQ(nearest("regstration", words), "registration");
  EXPECT_EQ(nearest("registrations", words), "registration");
  EXPECT_EQ(nearest("tokne", words), "token");
  EXPECT_EQ(nearest("reg", words), "registration");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  const std::vector<std::string> words{"registration", "token", "api", "sdk"};
  EXPECT_EQ(nearest("frobnicate", words), std::nullopt);
  EXPECT_EQ(nearest("xyz", words), std::nullopt);
  EXPECT_EQ(nearest("token", {}), std::nullopt);
}

TEST(Text, HasOneCaseOfAsciiAlone) {
  EXPECT_EQ(lower("A-Zaz09 \xc3\x84"), "a-zaz09 \xc3\x84");
  EXPECT_TRUE(same_word("Bearer", "bEARER"));
  EXPECT_TRUE(same_word("", ""));
  EXPECT_FALSE(same_word("a", "ab"));
  EXPECT_FALSE(same_word("[", "{"));
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (const auto part = take_part(text, separator)) out.push_back(*part);
  return out;
}

TEST(Text, IsTakenApartAtSeparators) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(parts_of("", ','), Parts{});
  EXPECT_EQ(parts_of("a", ','), Parts{"a"});
  EXPECT_EQ(parts_of("a,b", ','), (Parts{"a", "b"}));
  EXPECT_EQ(parts_of(",,b,", ','), (Parts{"", "", "b"}));
  EXPECT_EQ(parts_of("one\ntwo\n", '\n'), (Parts{"one", "two"}));
  EXPECT_EQ(parts_of(std::string_view("a\0b\0", 4), '\0'), (Parts{"a", "b"}));
}

TEST(Text, IsTakenApartWordByWord) {
  std::string_view text = "  36\t35 \r\n98:0 ";
  EXPECT_EQ(take_word(text), "36");
  EXPECT_EQ(take_word(text), "35");
  EXPECT_EQ(take_word(text), "98:0");
  EXPECT_EQ(take_word(text), "");
  EXPECT_EQ(take_word(text), "");
}

TEST(Text, Joins) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"", "b", ""}, ","), ",b,");
}

}  // namespace
}  // namespace touchmark
