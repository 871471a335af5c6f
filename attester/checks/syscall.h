// System calls without libc. A hook in libc's functions, or in the table through which they are
// called, sees nothing of these, and cannot show other file content to the checks than the kernel
// does.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

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
#elif defined(__arm__)
  // The number goes into r7, which in Thumb code may be the frame's pointer: kept by hand.
  register long r0 asm("r0") = a;
  register long r1 asm("r1") = b;
  register long r2 asm("r2") = c;
  register long r3 asm("r3") = d;
  register long r4 asm("r4") = e;
  register long r5 asm("r5") = f;
  long kept;
  asm volatile(
      "mov %[kept], r7\n\t"
      "mov r7, %[number]\n\t"
      "svc #0\n\t"
      "mov r7, %[kept]"
      : "+r"(r0), [kept] "=&r"(kept)
      : [number] "r"(number), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
      : "memory", "cc");
  return r0;
#elif defined(__i386__)
  // The sixth argument goes into ebp, which no compiler gives away.
  const long last[2] = {number, f};
  long result;
  asm volatile(
      "pushl %%ebp\n\t"
      "movl 4(%%eax), %%ebp\n\t"
      "movl (%%eax), %%eax\n\t"
      "int $0x80\n\t"
      "popl %%ebp"
      : "=a"(result)
      : "a"(last), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
      : "memory", "cc");
  return result;
#else
#error "no system call stub for this processor"
#endif
}

inline long as_argument(const void* pointer) { return reinterpret_cast<long>(pointer); }

// Opens a file for reading. A 32-bit kernel asks for a flag where the file may be over 2 GiB.
[[gnu::always_inline]] inline long open_call(const char* path, int flags) {
#if defined(__arm__)
  flags |= 0400000;  // O_LARGEFILE, asm/fcntl.h
#elif defined(__i386__)
  flags |= 0100000;
#endif
  return system_call(__NR_openat, AT_FDCWD, as_argument(path), flags, 0);
}

// pread64. A 32-bit kernel takes the offset in two registers, on Arm in an even pair of them.
[[gnu::always_inline]] inline long read_call(int fd, void* out, std::size_t size,
                                             std::uint64_t offset) {
  const long length = static_cast<long>(size);
#if defined(__LP64__)
  return system_call(__NR_pread64, fd, as_argument(out), length, static_cast<long>(offset));
#else
  const long low = static_cast<long>(static_cast<std::uint32_t>(offset));
  const long high = static_cast<long>(static_cast<std::uint32_t>(offset >> 32));
#if defined(__arm__)
  return system_call(__NR_pread64, fd, as_argument(out), length, 0, low, high);
#else
  return system_call(__NR_pread64, fd, as_argument(out), length, low, high);
#endif
#endif
}

// The calls of sockets. Kernels of x86 before 4.3 have only the one that holds them all.
enum class SocketCall { kSocket = 1, kConnect = 3, kSend = 11, kReceive = 12 };  // linux/net.h
[[gnu::always_inline]] inline long socket_call(SocketCall call, long a, long b, long c, long d = 0,
                                               long e = 0, long f = 0) {
#if defined(__i386__)
  const long arguments[6] = {a, b, c, d, e, f};
  return system_call(__NR_socketcall, static_cast<long>(call), as_argument(arguments));
#else
  switch (call) {
    case SocketCall::kSocket:
      return system_call(__NR_socket, a, b, c);
    case SocketCall::kConnect:
      return system_call(__NR_connect, a, b, c);
    case SocketCall::kSend:
      return system_call(__NR_sendto, a, b, c, d, e, f);
    case SocketCall::kReceive:
      return system_call(__NR_recvfrom, a, b, c, d, e, f);
  }
  return -ENOSYS;
#endif
}

// What ppoll takes: as wide as a register, whatever libc's timespec is.
struct KernelTime {
  long seconds = 0;
  long nanoseconds = 0;
};

// What the kernel says of a file (newfstatat, fstatat64), whatever libc's struct stat is.
struct KernelStatus {
#if defined(__x86_64__)
  std::uint64_t device, inode, links;
  std::uint32_t mode, user, group, padding;
  std::uint64_t special_device;
  std::int64_t size, block_size, blocks;
  std::uint64_t access_seconds, access_nanoseconds;
  std::uint64_t modify_seconds, modify_nanoseconds;
  std::uint64_t change_seconds, change_nanoseconds;
  std::int64_t unused[3];
#elif defined(__aarch64__)
  std::uint64_t device, inode;
  std::uint32_t mode, links, user, group;
  std::uint64_t special_device, padding;
  std::int64_t size;
  std::int32_t block_size, padding_2;
  std::int64_t blocks;
  std::int64_t access_seconds;
  std::uint64_t access_nanoseconds;
  std::int64_t modify_seconds;
  std::uint64_t modify_nanoseconds;
  std::int64_t change_seconds;
  std::uint64_t change_nanoseconds;
  std::uint32_t unused[2];
#else
  std::uint64_t device;
  std::uint8_t padding[4];
  std::uint32_t short_inode, mode, links, user, group;
  std::uint64_t special_device;
  std::uint8_t padding_2[4];
  std::int64_t size;
  std::uint32_t block_size;
  std::uint64_t blocks;
  std::uint32_t access_seconds, access_nanoseconds;
  std::uint32_t modify_seconds, modify_nanoseconds;
  std::uint32_t change_seconds, change_nanoseconds;
  std::uint64_t inode;
#endif
};
#if defined(__x86_64__)
static_assert(sizeof(KernelStatus) == 144 && offsetof(KernelStatus, size) == 48);
#elif defined(__aarch64__)
static_assert(sizeof(KernelStatus) == 128 && offsetof(KernelStatus, size) == 48);
#elif defined(__arm__)
static_assert(sizeof(KernelStatus) == 104 && offsetof(KernelStatus, size) == 48);
#else
static_assert(sizeof(KernelStatus) == 96 && offsetof(KernelStatus, size) == 44);
#endif

[[gnu::always_inline]] inline long status_call(int folder, const char* path, KernelStatus& out,
                                               int flags) {
#if defined(__NR_newfstatat)
  return system_call(__NR_newfstatat, folder, as_argument(path), as_argument(&out), flags);
#else
  return system_call(__NR_fstatat64, folder, as_argument(path), as_argument(&out), flags);
#endif
}

}  // namespace touchmark::attester::checks
