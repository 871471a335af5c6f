#include "base/budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace touchmark {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// The most that can be taken at once.
std::uint64_t bytes_for(std::uint64_t input) {
  std::uint64_t low = 0;
  std::uint64_t high = ~std::uint64_t{0};
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2 + 1;
    if (Budget(input).take_bytes(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

TEST(Budget, IsTheSameForSmallInputsAndGrowsWithLargerOnes) {
  EXPECT_EQ(bytes_for(0), 32 * kMiB);
  EXPECT_EQ(bytes_for(10'000), 32 * kMiB);
  EXPECT_EQ(bytes_for(kMiB), 32 * kMiB);
  EXPECT_EQ(bytes_for(2 * kMiB), 36 * kMiB);
  EXPECT_EQ(bytes_for(101 * kMiB), 432 * kMiB);
  EXPECT_EQ(bytes_for(2048 * kMiB), 512 * kMiB);
  EXPECT_EQ(bytes_for(~std::uint64_t{0}), 512 * kMiB);
}

TEST(Budget, CountsEverythingThatWasTaken) {
  Budget budget(1000);
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(budget.take_bytes(kMiB));
  const auto over = budget.take_bytes(1);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().text(),
            "budget.bytes: decoding takes over 32 MiB, the most for a file of 1000 bytes");
  EXPECT_TRUE(budget.take_bytes(0));
  EXPECT_FALSE(budget.take_bytes(~std::uint64_t{0}));

  ASSERT_TRUE(budget.take_steps(Budget::kSteps));
  const auto slow = budget.take_steps(1);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().id(), "budget.steps");
  EXPECT_TRUE(Budget(~std::uint64_t{0}).take_steps(~std::uint64_t{0}));
}

TEST(Budget, CountsWhatArchivesExpandTo) {
  Budget budget(1000);
  EXPECT_TRUE(budget.expand(60, 100));
  EXPECT_FALSE(budget.expand(41, 100));
  EXPECT_TRUE(budget.expand(40, 100));
  EXPECT_FALSE(budget.expand(~std::uint64_t{0}, 100));
}

TEST(Budget, IsSharedByThreads) {
  Budget budget(1000);
  std::atomic<std::uint64_t> granted = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        while (budget.take_bytes(4096)) granted += 4096;
      });
    }
  }
  EXPECT_EQ(granted, 32 * kMiB);
}

}  // namespace
}  // namespace touchmark
