// How the processor behaves where every one of its kind does the same, and whether code is
// translated before it runs. Emulators leave out what programs do not miss.
#pragma once

#include <cstdint>

namespace touchmark::attester::checks {

struct ProcessorMarks {
  // Arm: a reservation (LDXR) that outlives a system call, and one that works at all. The return
  // from every exception ends it: the architecture says so (Arm DDI 0487, pseudocode of
  // AArch64.ExceptionReturn), and Linux does it where Armv7 leaves it open.
  bool reservation_outlives_a_call = false;
  bool reservation_works = true;
  // 64-bit Arm: the counter of its timer (CNTVCT_EL0) does not move while code runs.
  bool counter_stands_still = false;
  // How many times longer code takes at its first run in this process than later, when it lies in
  // the caches both times; 0 where the clock is too coarse.
  std::uint32_t first_run_factor = 0;
};

// More than any processor takes, and less than a translator; docs/threat-model.md has measurements.
inline constexpr std::uint32_t kMostFirstRunFactor = 60;

// Takes some 200 microseconds for the first time. Thread-safe.
ProcessorMarks look_at_processor();

}  // namespace touchmark::attester::checks
