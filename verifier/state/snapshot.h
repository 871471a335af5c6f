// A value that many threads read while one replaces it. Readers keep the one they took.
#pragma once

#include <memory>
#include <mutex>

namespace touchmark::verifier::state {

// A mutex around a shared_ptr: held for a reference count only, and known to every thread
// sanitizer, which std::atomic<std::shared_ptr> of libstdc++ 12 is not.
template <class T>
class Snapshot {
 public:
  using Shared = std::shared_ptr<const T>;
  explicit Snapshot(Shared value) : value_(std::move(value)) {}

  Shared get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void set(Shared value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);  // the old value is destroyed after the lock is gone
  }

 private:
  mutable std::mutex mutex_;
  Shared value_;
};

}  // namespace touchmark::verifier::state
