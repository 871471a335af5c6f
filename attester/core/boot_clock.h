// Time since boot: what the device's user and network cannot set.
#pragma once

#include <chrono>

namespace touchmark::attester {

// Milliseconds since boot, sleep included: a token must not look young after the device slept, nor
// when its user turns the clock.
using BootTime = std::chrono::milliseconds;

// Thread-safe.
class BootClock {
 public:
  virtual ~BootClock() = default;
  virtual BootTime now() const = 0;
};
class SystemBootClock final : public BootClock {
 public:
  BootTime now() const override;
};

}  // namespace touchmark::attester
