#include "base/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace touchmark {
namespace {

TEST(SystemRandom, FillsAnyLength) {
  SystemRandom random;
  for (const std::size_t length : {0, 1, 15, 16, 17, 511, 512, 513, 5000}) {
    const Bytes bytes = random.bytes(length);
    ASSERT_EQ(bytes.size(), length);
    if (length >= 15) {
      EXPECT_NE(bytes, Bytes(length));
    }
  }
}

TEST(SystemRandom, GivesNoByteTwice) {
  std::set<Bytes> seen;
  std::mutex mutex;
  constexpr int kEach = 2000;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        SystemRandom random;
        for (int i = 0; i < kEach; ++i) {
          Bytes bytes = random.bytes(static_cast<std::size_t>(8 + i % 9));
          bytes.resize(8);  // of lengths that do not divide a pool
          const std::lock_guard lock(mutex);
          seen.insert(std::move(bytes));
        }
      });
    }
  }
  EXPECT_EQ(seen.size(), 4U * kEach);
}

// A pool that was filled before a fork() must not give both processes the same.
TEST(SystemRandom, GivesAForkOtherBytes) {
  SystemRandom random;
  (void)random.bytes(16);  // a pool is there, and filled
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Bytes bytes = random.bytes(16);
    const bool written = ::write(ends[1], bytes.data(), bytes.size()) == 16;
    ::_exit(written ? 0 : 1);
  }
  const Bytes ours = random.bytes(16);
  Bytes theirs(16);
  ASSERT_EQ(::read(ends[0], theirs.data(), theirs.size()), 16);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(status, 0);
  EXPECT_NE(ours, theirs);
}

}  // namespace
}  // namespace touchmark
