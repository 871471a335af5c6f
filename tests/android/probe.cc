// A program without any library: makes each kind of system call that the checks make, by the SDK's
// own stubs, and ends with 0, or with the number of the step that went wrong.
#include <fcntl.h>

#include "attester/checks/syscall.h"

namespace checks = touchmark::attester::checks;
using checks::as_argument;
using checks::SocketCall;
using checks::system_call;

namespace {

struct Vector {
  void* base;
  unsigned long size;
};

// argv[1] names a file of 8 KiB past 4 GiB whose last bytes are "far".
int run(char** arguments) {
  const long file = checks::open_call(arguments[1], O_RDONLY);
  if (file < 0) return 1;
  checks::KernelStatus status{};
  if (checks::status_call(static_cast<int>(file), "", status, 0x1000) != 0) return 2;
  constexpr std::int64_t kSize = (std::int64_t{1} << 32) + 8192;
  if (status.size != kSize || (status.mode & 0170000) != 0100000 || status.inode == 0) return 3;
  if (status.modify_seconds == 0) return 4;
  char end[8] = {};
  if (checks::read_call(static_cast<int>(file), end, sizeof end, kSize - 3) != 3) return 5;
  if (end[0] != 'f' || end[1] != 'a' || end[2] != 'r') return 6;
  if (checks::read_call(static_cast<int>(file), end, sizeof end, 8189) != 8 || end[0] != 0)
    return 7;
  // Six arguments.
  char seen[4] = {};
  Vector local{seen, sizeof seen};
  char known[4] = {'r', 'e', 'a', 'd'};
  Vector remote{known, sizeof known};
  const long copied = system_call(__NR_process_vm_readv, system_call(__NR_getpid),
                                  as_argument(&local), 1, as_argument(&remote), 1, 0);
  if (copied != -ENOSYS && (copied != 4 || seen[3] != 'd')) return 8;  // qemu-user has none
  const long bad = system_call(__NR_process_vm_readv, system_call(__NR_getpid), as_argument(&local),
                               1, as_argument(&remote), 1, 1);
  if (bad != -EINVAL && bad != -ENOSYS) return 9;  // the sixth says "flags", and there are none
  const long socket = checks::socket_call(SocketCall::kSocket, 2, 1, 0);
  if (socket < 0) return 10;
  unsigned char address[16] = {2, 0, 0, 1, 127, 0, 0, 1};  // port 1 of this machine: nobody listens
  if (checks::socket_call(SocketCall::kConnect, socket, as_argument(address), 16) !=
      -ECONNREFUSED) {
    return 11;
  }
  if (checks::socket_call(SocketCall::kSend, socket, as_argument(known), 4, 0x4000) != -EPIPE) {
    return 12;
  }
  if (checks::socket_call(SocketCall::kReceive, socket, as_argument(seen), 4, 0) != -ENOTCONN)
    return 13;
  struct {
    int fd;
    short events, got;
  } entry{-1, 1, 0};
  const checks::KernelTime patience{0, 1'000'000};
  if (system_call(__NR_ppoll, as_argument(&entry), 1, as_argument(&patience), 0, 8) != 0) return 14;
  if (system_call(__NR_close, file) != 0 || system_call(__NR_close, file) != -EBADF) return 15;
  return 0;
}

}  // namespace

// What a compiler may call without being told to.
extern "C" void* memset(void* out, int value, __SIZE_TYPE__ size) {
  for (__SIZE_TYPE__ i = 0; i < size; ++i)
    static_cast<volatile char*>(out)[i] = static_cast<char>(value);
  return out;
}

// The kernel leaves the number of arguments on the stack, and the arguments above it.
extern "C" [[noreturn]] void begin(long* stack) {
  const int result = run(reinterpret_cast<char**>(stack + 1));
  for (;;) system_call(__NR_exit_group, result);
}

#if defined(__x86_64__)
asm(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#elif defined(__i386__)
asm(".globl _start\n_start: mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call "
    "begin\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start: mov x0, sp\n bl begin\n");
#else
asm(".globl _start\n.type _start, %function\n.thumb_func\n_start: mov r0, sp\n bl begin\n");
#endif
