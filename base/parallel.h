// Runs independent pieces of work on the machine's cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"

namespace touchmark {

// One per core, at most 16: past that the disk is what one waits for.
inline unsigned worker_threads() {
  return std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
}

// Threads that are waited for when the group ends, however it does. (std::jthread is not in every
// standard library that this is built with.)
class ThreadGroup {
 public:
  ThreadGroup() = default;
  ~ThreadGroup() {
    for (std::thread& thread : threads_) thread.join();
  }
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  // Throws std::system_error where no thread is to be had.
  template <class Work>
  void start(const Work& work) {
    threads_.emplace_back();  // what may throw for want of memory comes before the thread
    try {
      threads_.back() = std::thread(work);
    } catch (...) {
      threads_.pop_back();
      throw;
    }
  }

 private:
  std::vector<std::thread> threads_;
};

// Calls work(index) for every index below `count`. Each thread makes its own `work` with
// make_work(), so that it can own a buffer; work returns Result<void>. After a failure no further
// index is started, and the failure of the lowest index is returned: the same one whatever the
// timing. An exception in any of the threads ends the work too, and is thrown again here once all
// threads have ended: what the caller can catch must not end the process.
template <class MakeWork>
Result<void> for_each_parallel(std::size_t count, unsigned threads, const MakeWork& make_work) {
  std::atomic<std::size_t> next = 0;
  Mutex mutex;
  std::optional<std::pair<std::size_t, Error>> first_failure;
  std::exception_ptr thrown;
  const auto run = [&]() noexcept {
    try {
      auto work = make_work();
      for (std::size_t index = next++; index < count; index = next++) {
        Result<void> done = work(index);
        if (done) continue;
        const MutexLock lock(mutex);
        if (!first_failure || index < first_failure->first) {
          first_failure.emplace(index, std::move(done.error()));
        }
        next = count;
      }
    } catch (...) {
      const MutexLock lock(mutex);
      if (!thrown) thrown = std::current_exception();
      next = count;
    }
  };
  {
    ThreadGroup helpers;
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) {
      try {
        helpers.start(run);
      } catch (const std::system_error&) {
        break;  // no more threads to be had: those that run do all the work
      }
    }
    run();
  }
  if (thrown) std::rethrow_exception(thrown);
  if (first_failure) return tl::unexpected<Error>(std::move(first_failure->second));
  return {};
}

}  // namespace touchmark
