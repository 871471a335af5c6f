#include "attester/checks/processor.h"

#include <time.h>

#include <algorithm>
#include <limits>

#include "attester/checks/syscall.h"

namespace touchmark::attester::checks {
namespace {

// The best of some tries counts: others run on this processor as well.
constexpr int kTries = 3;
constexpr int kRepeats = 32;

#if defined(__aarch64__)
// Whether the store of a reservation is made, with a system call in between.
bool stores_after_a_call() {
  alignas(16) std::uint32_t word = 1;
  std::uint32_t old = 0;
  std::uint32_t failed = 1;
  register long x8 asm("x8") = __NR_getpid;
  register long x0 asm("x0");
  asm volatile(
      "ldxr %w[old], [%[word]]\n\t"
      "svc #0\n\t"
      "stxr %w[failed], %w[old], [%[word]]"
      : [old] "=&r"(old), [failed] "=&r"(failed), "=&r"(x0)
      : [word] "r"(&word), "r"(x8)
      : "memory", "cc");
  return failed == 0;
}

bool stores() {
  alignas(16) std::uint32_t word = 1;
  std::uint32_t old = 0;
  std::uint32_t failed = 1;
  asm volatile(
      "ldxr %w[old], [%[word]]\n\t"
      "stxr %w[failed], %w[old], [%[word]]"
      : [old] "=&r"(old), [failed] "=&r"(failed)
      : [word] "r"(&word)
      : "memory");
  return failed == 0;
}

std::uint64_t counter() {
  std::uint64_t out = 0;
  asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(out)::"memory");
  return out;
}

#elif defined(__arm__)
bool stores_after_a_call() {
  alignas(16) std::uint32_t word = 1;
  std::uint32_t old = 0;
  std::uint32_t failed = 1;
  register long r0 asm("r0");
  long kept = 0;  // r7, which may be the frame's pointer
  asm volatile(
      "mov %[kept], r7\n\t"
      "mov r7, %[number]\n\t"
      "ldrex %[old], [%[word]]\n\t"
      "svc #0\n\t"
      "strex %[failed], %[old], [%[word]]\n\t"
      "mov r7, %[kept]"
      : [old] "=&r"(old), [failed] "=&r"(failed), [kept] "=&r"(kept), "=&r"(r0)
      : [word] "r"(&word), [number] "r"(__NR_getpid)
      : "memory", "cc");
  return failed == 0;
}

bool stores() {
  alignas(16) std::uint32_t word = 1;
  std::uint32_t old = 0;
  std::uint32_t failed = 1;
  asm volatile(
      "ldrex %[old], [%[word]]\n\t"
      "strex %[failed], %[old], [%[word]]"
      : [old] "=&r"(old), [failed] "=&r"(failed)
      : [word] "r"(&word)
      : "memory");
  return failed == 0;
}

#endif

#if !defined(__aarch64__)
// What the kernel's page of functions answers without a call.
std::uint64_t nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}
#endif

#if defined(__aarch64__) || defined(__arm__)
#define TOUCHMARK_JUMP "b"
#else
#define TOUCHMARK_JUMP "jmp"
#endif

// Some 240 jumps to the next instruction. A translator has to look at every one of them before it
// runs for the first time. Each of these functions is code of its own.
template <int kNumber>
[[gnu::noinline]] void run_jumps() {
  asm volatile(".rept 240 + %c[number]\n\t" TOUCHMARK_JUMP
               " 1f\n"
               "1:\n\t"
               ".endr" ::[number] "i"(kNumber));
}
#undef TOUCHMARK_JUMP

// Brings the code's pages and lines near, so that the first run does not wait for a disk.
void read_code(void (*code)()) {
  const auto* at = reinterpret_cast<const volatile unsigned char*>(
      reinterpret_cast<std::uintptr_t>(code) & ~std::uintptr_t{1});
  for (std::size_t i = 0; i < 480; i += 32) static_cast<void>(at[i]);
}

// How many times longer code takes when it runs for the first time.
template <class Clock>
std::uint32_t first_run_factor(const Clock& clock) {
  static_cast<void>(clock());
  double out = 1e9;
  for (auto* const code : {run_jumps<0>, run_jumps<1>, run_jumps<2>, run_jumps<3>}) {
    read_code(code);
    const std::uint64_t begun = clock();
    code();
    const auto first = static_cast<std::uint32_t>(clock() - begun);
    std::uint64_t later = std::numeric_limits<std::uint32_t>::max();
    for (int i = 0; i < kTries; ++i) {
      const std::uint64_t before = clock();
      for (int k = 0; k < kRepeats; ++k) code();
      later = std::min(later, clock() - before);
    }
    if (later == 0) return 0;  // a clock that is too coarse to tell
    out = std::min(out, static_cast<double>(first) * kRepeats / static_cast<std::uint32_t>(later));
  }
  return static_cast<std::uint32_t>(out);
}

}  // namespace

ProcessorMarks look_at_processor() {
  ProcessorMarks out;
#if defined(__aarch64__) || defined(__arm__)
  out.reservation_outlives_a_call = stores_after_a_call() || stores_after_a_call();
  out.reservation_works = false;
  for (int i = 0; i < 1000 && !out.reservation_works; ++i) out.reservation_works = stores();
#endif
#if defined(__aarch64__)
  const std::uint64_t before = counter();
  for (int i = 0; i < 1000; ++i) system_call(__NR_getpid);
  out.counter_stands_still = counter() == before;
  static const std::uint32_t factor = first_run_factor(counter);
#else
  static const std::uint32_t factor = first_run_factor(nanoseconds);
#endif
  out.first_run_factor = factor;
  return out;
}

}  // namespace touchmark::attester::checks
