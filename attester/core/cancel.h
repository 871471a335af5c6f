// Lets a closing client wake whoever waits inside it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>

#include "base/mutex.h"

namespace touchmark::attester {

// Thread-safe.
class Cancel {
 public:
  void set() {
    {
      const MutexLock lock(mutex_);
      flag_ = true;
    }
    wake_.notify_all();
  }
  const std::atomic<bool>& flag() const { return flag_; }
  // False when it was cut short.
  bool sleep(std::chrono::milliseconds duration) {
    const MutexLock lock(mutex_);
    return !wake_.wait_for(mutex_, duration, [this] { return flag_.load(); });
  }

 private:
  std::atomic<bool> flag_{false};  // set with the mutex held, so that no sleeper misses it
  Mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace touchmark::attester
