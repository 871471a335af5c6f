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

TEST(Text, Joins) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"", "b", ""}, ","), ",b,");
}

}  // namespace
}  // namespace touchmark
