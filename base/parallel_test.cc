#include "base/parallel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <stdexcept>

#include "base/source.h"

namespace touchmark {
namespace {

TEST(Parallel, CallsEveryIndexOnceAndReturnsTheLowestFailure) {
  std::vector<std::atomic<int>> calls(1000);
  ASSERT_TRUE(for_each_parallel(calls.size(), 4, [&] {
    return [&](std::size_t i) -> Result<void> {
      ++calls[i];
      return {};
    };
  }));
  for (const auto& count : calls) EXPECT_EQ(count, 1);

  const auto failed = for_each_parallel(8, 4, [] {
    return [](std::size_t i) -> Result<void> { return fail(SourceError::kIo, std::to_string(i)); };
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "0");
}

// Lets each of `threads` threads take one index, so that helpers do take some, and all of them
// throw.
TEST(Parallel, AnExceptionInAnyThreadReachesTheCaller) {
  constexpr unsigned kThreads = 4;
  Mutex mutex;
  std::condition_variable_any all_here;
  unsigned here = 0;
  const auto make_work = [&] {
    return [&](std::size_t) -> Result<void> {
      const MutexLock lock(mutex);
      ++here;
      all_here.notify_all();
      all_here.wait_for(mutex, std::chrono::seconds(5), [&] { return here >= kThreads; });
      throw std::bad_alloc();
    };
  };
  EXPECT_THROW((void)for_each_parallel(kThreads, kThreads, make_work), std::bad_alloc);
}

TEST(Parallel, AnExceptionInOneHelperStopsTheRest) {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> thrown = false;
  std::atomic<std::size_t> after = 0;
  const auto make_work = [&] {
    return [&](std::size_t) -> Result<void> {
      if (std::this_thread::get_id() != caller && !thrown.exchange(true)) {
        throw std::runtime_error("in a helper");
      }
      // The caller's own thread waits, so that it is not done with everything by itself.
      for (int i = 0; i < 500 && !thrown; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      ++after;
      return {};
    };
  };
  EXPECT_THROW((void)for_each_parallel(1'000'000'000, 2, make_work), std::runtime_error);
  EXPECT_LT(after, 1'000'000'000U);
}

// Each thread makes its own work, and that may be what there is no memory for.
TEST(Parallel, AnExceptionWhileWorkIsMadeReachesTheCaller) {
  const std::thread::id caller = std::this_thread::get_id();
  const auto make_work = [&] {
    if (std::this_thread::get_id() != caller) throw std::bad_alloc();
    return [](std::size_t) -> Result<void> {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return {};
    };
  };
  EXPECT_THROW((void)for_each_parallel(4, 2, make_work), std::bad_alloc);
}

}  // namespace
}  // namespace touchmark
