// Lets a closing client wake whoever waits inside it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace touchmark::attester {

// Thread-safe.
class Cancel {
 public:
  void set() {
    {
      const std::lock_guard lock(mutex_);
      flag_ = true;
    }
    wake_.notify_all();
  }
  const std::atomic<bool>& flag() const { return flag_; }
  // False when it was cut short.
  bool sleep(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, duration, [this] { return flag_.load(); });
  }

 private:
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace touchmark::attester
