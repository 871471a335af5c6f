#include "verifier/policy/version.h"

#include <gtest/gtest.h>

namespace touchmark::verifier::policy {
namespace {

using std::chrono::days;

TEST(Version, ReadsDottedNumbersAndNothingElse) {
  EXPECT_EQ(parse_version("14"), (Version{{14, 0, 0, 0}}));
  EXPECT_EQ(parse_version("8.1.0"), (Version{{8, 1, 0, 0}}));
  EXPECT_EQ(parse_version("1.2.3.4"), (Version{{1, 2, 3, 4}}));
  for (const char* text : {"", ".", "1.", ".1", "1.2.3.4.5", "-1", "+1", " 1", "1 ", "1a",
                           "Tiramisu", "9999999999999999999", "1..2"}) {
    EXPECT_EQ(parse_version(text), std::nullopt) << text;
  }
}

TEST(Version, OrdersByNumberNotByText) {
  EXPECT_LT(*parse_version("9"), *parse_version("10"));
  EXPECT_EQ(*parse_version("8"), *parse_version("8.0.0"));
  EXPECT_LT(*parse_version("16.4"), *parse_version("16.4.1"));
  EXPECT_EQ(android_version(140000), *parse_version("14"));
  EXPECT_EQ(android_version(80100), *parse_version("8.1"));
}

bool in(const char* range, const char* version) {
  const auto comparisons = parse_comparisons(range);
  EXPECT_TRUE(comparisons) << range;
  for (const Comparison& one : *comparisons) {
    if (!holds(one, *parse_version(version))) return false;
  }
  return true;
}

TEST(Comparisons, AllMustHold) {
  EXPECT_TRUE(in("<13", "12.9"));
  EXPECT_FALSE(in("<13", "13"));
  EXPECT_TRUE(in("<= 13", "13"));
  EXPECT_TRUE(in(">=12.1, <14", "13.5"));
  EXPECT_FALSE(in(">=12.1, <14", "12"));
  EXPECT_FALSE(in(">=12.1, <14", "14"));
  EXPECT_TRUE(in("13", "13.0"));
  EXPECT_TRUE(in("=13", "13"));
  EXPECT_FALSE(in(">13", "13"));
  for (const char* text : {"", "<", "<13,", "<>13", "==13", "new"}) {
    EXPECT_FALSE(parse_comparisons(text)) << text;
  }
}

TEST(Glob, MatchesWildcardsInEitherCase) {
  EXPECT_TRUE(glob_match("SM-T5*", "sm-t510"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a?c", "abc"));
  EXPECT_TRUE(glob_match("*b*c", "abbbc"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_FALSE(glob_match("SM-T5*", "SM-T410"));
  EXPECT_FALSE(glob_match("abc", "abcd"));
}

TEST(Glob, DoesNotBlowUp) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(10'000, 'a')));
}

TEST(PatchLimit, IsADateOrAnAge) {
  EXPECT_EQ(to_string(*parse_patch_limit("2024-06")), "2024-06-01 or later");
  EXPECT_EQ(to_string(*parse_patch_limit("2024-06-05")), "2024-06-05 or later");
  EXPECT_EQ(to_string(*parse_patch_limit("540d")), "at most 540 days old");
  for (const char* text : {"", "d", "0d", "-1d", "2024", "2024-13", "2024-00", "2024-02-30",
                           "2024/06", "24-06", "1999-01", "2024-6", "99999d", "202406"}) {
    EXPECT_FALSE(parse_patch_limit(text)) << text;
  }
}

TEST(PatchLimit, TakesALevelWithoutDayForTheFirst) {
  const PatchLimit june_5 = *parse_patch_limit("2024-06-05");
  const UnixTime now = from_unix(1'720'000'000);  // 2024-07-03
  EXPECT_TRUE(meets(june_5, 20240605, now));
  EXPECT_TRUE(meets(june_5, 202407, now));
  EXPECT_FALSE(meets(june_5, 202406, now));
  EXPECT_FALSE(meets(june_5, 20240600, now));
  EXPECT_TRUE(meets(*parse_patch_limit("2024-06"), 20240600, now));
  for (const std::uint32_t nonsense : {0U, 1U, 202413U, 20240632U, 4294967295U}) {
    EXPECT_FALSE(meets(june_5, nonsense, now)) << nonsense;
  }
}

TEST(PatchLimit, CountsAgeInWholeDays) {
  const PatchLimit limit = *parse_patch_limit("30d");
  const UnixTime day_30 = UnixTime(std::chrono::sys_days(std::chrono::year(2024) / 7 / 1));
  EXPECT_TRUE(meets(limit, 202406, day_30 + std::chrono::hours(23)));
  EXPECT_FALSE(meets(limit, 202406, day_30 + days(1)));
}

}  // namespace
}  // namespace touchmark::verifier::policy
