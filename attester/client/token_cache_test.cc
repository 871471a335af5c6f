#include "attester/client/token_cache.h"

#include <gtest/gtest.h>

namespace touchmark::attester::client {
namespace {

using namespace std::chrono_literals;

CachedToken token_at(BootTime asked, std::chrono::seconds lifetime = 300s) {
  return {.token = "t" + std::to_string(asked.count()),
          .arc = "",
          .asked = asked,
          .lifetime = lifetime};
}

TEST(TokenCacheTest, LivesAgesAndEnds) {
  const CachedToken token = token_at(1000s);
  EXPECT_TRUE(token.usable(1000s));
  EXPECT_FALSE(token.ageing(1199s));
  EXPECT_TRUE(token.ageing(1200s));
  EXPECT_TRUE(token.usable(1289s));
  EXPECT_FALSE(token.usable(1290s));  // 10 s before its end
  EXPECT_EQ(token.left(1100s), 200s);
  EXPECT_EQ(token.left(1400s), 0s);
  const CachedToken brief = token_at(0s, 10s);
  EXPECT_TRUE(brief.usable(8999ms));  // the margin is a tenth at most
  EXPECT_FALSE(brief.usable(9s));
}

TEST(TokenCacheTest, KeepsBindingsApart) {
  TokenCache cache;
  cache.put({""}, token_at(1s));
  cache.put({"Bearer x"}, token_at(2s));
  EXPECT_EQ(cache.find({""}, 3s)->token, "t1000");
  EXPECT_EQ(cache.find({"Bearer x"}, 3s)->token, "t2000");
  EXPECT_FALSE(cache.find({"Bearer y"}, 3s));
  cache.put({"Bearer x", "partners"}, token_at(2500ms));
  EXPECT_EQ(cache.find({"Bearer x", "partners"}, 3s)->token, "t2500");
  EXPECT_EQ(cache.find({"Bearer x"}, 3s)->token, "t2000");
  EXPECT_FALSE(cache.find({"", "partners"}, 3s));
  EXPECT_FALSE(cache.find({""}, 400s));
  cache.clear();
  EXPECT_FALSE(cache.find({""}, 3s));
}

TEST(TokenCacheTest, TheOldestMakesRoom) {
  TokenCache cache;
  for (int i = 0; i < 40; ++i) cache.put({std::to_string(i)}, token_at(BootTime(100 - i)));
  EXPECT_FALSE(cache.find({"35"}, 1s));
  EXPECT_TRUE(cache.find({"39"}, 1s));
  EXPECT_TRUE(cache.find({"0"}, 1s));
  cache.put({"39"}, token_at(2s));
  EXPECT_EQ(cache.find({"39"}, 3s)->token, "t2000");
  EXPECT_TRUE(cache.find({"0"}, 1s));
}

}  // namespace
}  // namespace touchmark::attester::client
