#include "protocol/range.h"

#include <gtest/gtest.h>

namespace touchmark::protocol {
namespace {

TEST(Range, RoundTripsThroughJson) {
  const std::vector<Range> ranges{{"classes.dex", 0, 4096},
                                  {"lib/arm64-v8a/liba.so", 1ULL << 40, 1}};
  EXPECT_EQ(to_json(ranges).dump(),
            R"([["classes.dex",0,4096],["lib/arm64-v8a/liba.so",1099511627776,1]])");
  EXPECT_EQ(ranges_from_json(JsonDocument(to_json(ranges)).root()), ranges);
}

TEST(Range, RefusesOtherShapes) {
  for (const char* text : {"{}", "[1]", "[[]]", R"([["a",1]])", R"([["a",-1,1]])",
                           R"([["a",1.5,1]])", R"([[1,1,1]])", R"([["a",1,1,1]])"}) {
    const auto ranges = ranges_from_json(JsonDocument(Json::parse(text)).root());
    ASSERT_FALSE(ranges) << text;
    EXPECT_TRUE(ranges.error().is(RangeError::kMalformed)) << text;
  }
}

TEST(Range, RefusesTooMuch) {
  Json many = Json::array();
  for (std::size_t i = 0; i <= kMaxRanges; ++i) many.push_back({"a", i, 1});
  EXPECT_TRUE(ranges_from_json(JsonDocument(many).root()).error().is(RangeError::kTooMany));
  Json longest = Json::array();
  longest.push_back({"a", 0U, kMaxRangeLength + 1});
  EXPECT_TRUE(ranges_from_json(JsonDocument(longest).root()).error().is(RangeError::kTooMany));
}

}  // namespace
}  // namespace touchmark::protocol
