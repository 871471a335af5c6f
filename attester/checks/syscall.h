// System calls without libc. A hook in libc's functions, or in the table through which they are
// called, sees nothing of these, and cannot show other file content to the checks than the kernel
// does.
#pragma once

#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

namespace touchmark::attester::checks {

// Returns what the kernel returns: a negative errno on failure. errno itself is not touched.
[[gnu::always_inline]] inline long system_call(long number, long a = 0, long b = 0, long c = 0,
                                               long d = 0, long e = 0, long f = 0) {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory", "cc");
  return x0;
#else
#error "no system call stub for this processor"
#endif
}

inline long as_argument(const void* pointer) { return reinterpret_cast<long>(pointer); }

}  // namespace touchmark::attester::checks
