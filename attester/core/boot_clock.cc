#include "attester/core/boot_clock.h"

#include <ctime>

namespace touchmark::attester {
namespace {

#ifdef __APPLE__
constexpr clockid_t kSinceBoot = CLOCK_MONOTONIC;  // which goes on while the phone sleeps
#else
constexpr clockid_t kSinceBoot = CLOCK_BOOTTIME;
#endif

}  // namespace

BootTime SystemBootClock::now() const {
  timespec time{};
  clock_gettime(kSinceBoot, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::milliseconds(time.tv_nsec / 1'000'000);
}

}  // namespace touchmark::attester
