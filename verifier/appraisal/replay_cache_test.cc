#include "verifier/appraisal/replay_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr UnixTime kNow{Seconds(1'790'000'000)};

TEST(ReplayCache, SpendsEachChallengeOnce) {
  testing::RepeatableRandom random;
  ReplayCache cache(100);
  const Bytes a = random.bytes(40);
  const Bytes b = random.bytes(40);
  EXPECT_EQ(cache.spend(a, kNow + Seconds(120), kNow), Spending::kFirst);
  EXPECT_EQ(cache.spend(b, kNow + Seconds(120), kNow), Spending::kFirst);
  EXPECT_EQ(cache.spend(a, kNow + Seconds(120), kNow + Seconds(119)), Spending::kAgain);
}

TEST(ReplayCache, ForgetsWhatHasExpired) {
  testing::RepeatableRandom random;
  ReplayCache cache(100);
  for (int i = 0; i < 50; ++i) cache.spend(random.bytes(40), kNow + Seconds(i + 1), kNow);
  EXPECT_EQ(cache.size(), 50U);
  cache.spend(random.bytes(40), kNow + Seconds(200), kNow + Seconds(25));
  EXPECT_EQ(cache.size(), 26U);
}

TEST(ReplayCache, ForgetsNothingWhenItIsFull) {
  testing::RepeatableRandom random;
  ReplayCache cache(2);
  const Bytes first = random.bytes(40);
  EXPECT_EQ(cache.spend(first, kNow + Seconds(10), kNow), Spending::kFirst);
  EXPECT_EQ(cache.spend(random.bytes(40), kNow + Seconds(10), kNow), Spending::kFirst);
  EXPECT_EQ(cache.spend(random.bytes(40), kNow + Seconds(10), kNow), Spending::kFull);
  EXPECT_EQ(cache.spend(first, kNow + Seconds(10), kNow), Spending::kAgain);
  EXPECT_EQ(cache.spend(random.bytes(40), kNow + Seconds(20), kNow + Seconds(10)),
            Spending::kFirst);
}

TEST(ReplayCache, SpendsOnceAmongManyThreads) {
  testing::RepeatableRandom random;
  ReplayCache cache(10'000);
  std::vector<Bytes> nonces;
  for (int i = 0; i < 500; ++i) nonces.push_back(random.bytes(40));
  std::atomic<int> first = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const Bytes& nonce : nonces) {
        if (cache.spend(nonce, kNow + Seconds(1), kNow) == Spending::kFirst) ++first;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(first, 500);
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
