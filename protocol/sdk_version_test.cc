#include "protocol/sdk_version.h"

#include <gtest/gtest.h>

namespace touchmark::protocol {
namespace {

TEST(SdkVersion, OrdersWhatIsLater) {
  const char* const ascending[] = {"0.1.0-rc.1", "0.1.0",  "0.1.1", "0.2.0-a+b",
                                   "0.2.0",      "0.10.0", "1.0.0"};
  for (std::size_t i = 1; i < std::size(ascending); ++i) {
    const auto earlier = parse_sdk_version(ascending[i - 1]);
    const auto later = parse_sdk_version(ascending[i]);
    ASSERT_TRUE(earlier && later) << ascending[i];
    EXPECT_LT(*earlier, *later) << ascending[i];
  }
  EXPECT_EQ(parse_sdk_version("0.1.0"), parse_sdk_version("0.1.0+build.7"));
}

TEST(SdkVersion, TakesNothingElse) {
  for (const char* text :
       {"", "1", "1.2", "1.2.", "1.2.x", "a", "1.2.3.4", " 1.2.3", "-1.2.3", "1.2.99999999999"}) {
    EXPECT_FALSE(parse_sdk_version(text)) << text;
  }
}

}  // namespace
}  // namespace touchmark::protocol
