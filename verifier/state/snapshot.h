// A value that many threads read while one replaces it. Readers keep the one they took.
#pragma once

#include <memory>
#include <utility>

#include "base/mutex.h"

namespace touchmark::verifier::state {

// A mutex around a shared_ptr: held for a reference count only, and known to every thread
// sanitizer, which std::atomic<std::shared_ptr> of libstdc++ 12 is not.
template <class T>
class Snapshot {
 public:
  using Shared = std::shared_ptr<const T>;
  explicit Snapshot(Shared value) : value_(std::move(value)) {}

  Shared get() const {
    const MutexLock lock(mutex_);
    return value_;
  }
  void set(Shared value) {
    const MutexLock lock(mutex_);
    value_.swap(value);  // the old value is destroyed after the lock is gone
  }

 private:
  mutable Mutex mutex_;
  Shared value_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::state
