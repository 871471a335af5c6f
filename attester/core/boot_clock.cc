#include "attester/core/boot_clock.h"

#include <ctime>

namespace touchmark::attester {

BootTime SystemBootClock::now() const {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::milliseconds(time.tv_nsec / 1'000'000);
}

}  // namespace touchmark::attester
