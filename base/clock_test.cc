#include "base/clock.h"

#include <gtest/gtest.h>

namespace touchmark {
namespace {

TEST(Time, Formats) {
  EXPECT_EQ(format_time(from_unix(1568396901)), "2019-09-13 17:48:21");
  EXPECT_EQ(format_time(from_unix(0)), "1970-01-01 00:00:00");
  EXPECT_EQ(format_time(from_unix(-1)), "1969-12-31 23:59:59");
}

TEST(Time, ParsesItsThreeForms) {
  EXPECT_EQ(to_unix(parse_time("2019-09-13T17:48:21Z").value()), 1568396901);
  EXPECT_EQ(to_unix(parse_time("2024-02-29").value()), 1709164800);
  EXPECT_EQ(to_unix(parse_time("1568396901").value()), 1568396901);
  EXPECT_EQ(to_unix(parse_time("0").value()), 0);
}

TEST(Time, RefusesTheRest) {
  for (const char* text :
       {"", "today", "2023-02-29", "2024-13-01", "2024-1-01", "2024-01-01T24:00:00Z",
        "2024-01-01T10:00:00", "2024-01-01 10:00:00Z", "2024-01-01T10:00:00Zx", "-5", "+5", "1.5",
        "99999999999999999999", "999999999999999", "2024-01--1", "2024-01-01T"}) {
    auto time = parse_time(text);
    ASSERT_FALSE(time) << text;
    EXPECT_TRUE(time.error().is(TimeError::kBadTime)) << text;
  }
}

TEST(Duration, Parses) {
  EXPECT_EQ(parse_duration("600s").value(), Seconds(600));
  EXPECT_EQ(parse_duration("600").value(), Seconds(600));
  EXPECT_EQ(parse_duration("10m").value(), Seconds(600));
  EXPECT_EQ(parse_duration("12h").value(), Seconds(43200));
  EXPECT_EQ(parse_duration("30d").value(), Seconds(2592000));
  EXPECT_EQ(parse_duration("1w").value(), Seconds(604800));
  EXPECT_EQ(parse_duration("4h30m").value(), Seconds(16200));
  EXPECT_EQ(parse_duration("1w2d3h4m5s").value(), Seconds(788645));
  EXPECT_EQ(parse_duration("10.5h").value(), Seconds(37800));
  EXPECT_EQ(parse_duration("0.5m0.50m").value(), Seconds(60));
  EXPECT_EQ(parse_duration("000000000000000000000001s").value(), Seconds(1));
  EXPECT_EQ(parse_duration("0h1s").value(), Seconds(1));
  EXPECT_EQ(parse_duration("36600d").value(), Seconds(3162240000));
}

TEST(Duration, RefusesTheRest) {
  for (const char* text : {"", "s", "-", "1.5", ".5h", "1.h", "5 s", "5ss", "4h30", "30m4", "1.5s",
                           "0.00001h", "1y", "1H", "+5s", "1e3s", "soon", "1h-5m"}) {
    auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_TRUE(duration.error().is(TimeError::kBadDuration)) << text;
  }
}

TEST(Duration, OutOfRangeIsAnotherReason) {
  for (const char* text :
       {"0", "0s", "-5s", "-1h30m", "36601d", "36600d1s", "5229w", "9223372036854775807d",
        "99999999999999999999", "99999999999999999999w"}) {
    auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_TRUE(duration.error().is(TimeError::kDurationRange)) << text;
  }
}

TEST(SystemClock, GoesOnAfterATimeOf32BitsHasEnded) {
  constexpr std::int64_t kEnd = std::int64_t{1} << 31;  // 2038-01-19T03:14:08Z
  EXPECT_EQ(seconds_since_1970(std::int32_t{0x7fffffff}), kEnd - 1);
  EXPECT_EQ(seconds_since_1970(std::numeric_limits<std::int32_t>::min()), kEnd);
  EXPECT_EQ(seconds_since_1970(std::int32_t{-1}), 2 * kEnd - 1);
  EXPECT_EQ(seconds_since_1970(std::int64_t{3} << 32), std::int64_t{3} << 32);
}

TEST(SystemClock, IsThisCentury) {
  EXPECT_GT(to_unix(SystemClock().now()), 1700000000);
  EXPECT_LT(to_unix(SystemClock().now()), 4102444800);
}

}  // namespace
}  // namespace touchmark
