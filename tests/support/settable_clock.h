// A clock that stands still until a test moves it.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace touchmark::testing {

class SettableClock final : public Clock {
 public:
  explicit SettableClock(UnixTime now) : now_(now) {}
  UnixTime now() const override { return now_; }
  void set(UnixTime now) { now_ = now; }
  void advance(Seconds time) { now_ = now_.load() + time; }

 private:
  std::atomic<UnixTime> now_;
};

}  // namespace touchmark::testing
