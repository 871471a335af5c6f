// Looks at the processor that runs it, as attester/checks/processor.h does; the exit status has a
// bit for each mark of an emulator. Bare, as probe.cc is.
#include "attester/checks/processor.cc"  // NOLINT(bugprone-suspicious-include)

extern "C" int clock_gettime(clockid_t clock, timespec* out) {
  using touchmark::attester::checks::system_call;
  touchmark::attester::checks::KernelTime now;
  const long result =
      system_call(__NR_clock_gettime, clock, touchmark::attester::checks::as_argument(&now));
  out->tv_sec = now.seconds;
  out->tv_nsec = now.nanoseconds;
  return static_cast<int>(result);
}

// What a compiler may call without being told to.
extern "C" void* memset(void* out, int value, __SIZE_TYPE__ size) {
  for (__SIZE_TYPE__ i = 0; i < size; ++i)
    static_cast<volatile char*>(out)[i] = static_cast<char>(value);
  return out;
}

extern "C" [[noreturn]] void begin(long*) {
  using namespace touchmark::attester::checks;
  long steps = 0;  // one bit for each mark
  for (int i = 0; i < 100; ++i) {
    const ProcessorMarks marks = look_at_processor();
    if (marks.reservation_outlives_a_call) steps |= 1;
    if (!marks.reservation_works) steps |= 2;
    if (marks.counter_stands_still) steps |= 4;
    if (marks.first_run_factor > kMostFirstRunFactor) steps |= 8;
  }
  for (;;) system_call(__NR_exit_group, steps);
}

#if defined(__aarch64__)
asm(".globl _start\n_start: mov x0, sp\n bl begin\n");
#elif defined(__arm__)
asm(".globl _start\n.type _start, %function\n.thumb_func\n_start: mov r0, sp\n bl begin\n");
#elif defined(__x86_64__)
asm(".globl _start\n_start: and $-16, %rsp\n call begin\n");
#else
asm(".globl _start\n_start: and $-16, %esp\n sub $12, %esp\n push $0\n call begin\n");
#endif
