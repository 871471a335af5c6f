/* The attacker's library for LD_PRELOAD: stands between the process and libc's connect(), where it
 * sees every address that the app speaks to. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

int connect(int socket, const struct sockaddr* address, socklen_t length) {
  static int (*real)(int, const struct sockaddr*, socklen_t);
  if (!real) real = (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
  static const char kSeen[] = "intercepted: connect\n";
  if (write(STDERR_FILENO, kSeen, sizeof(kSeen) - 1) < 0) return -1;
  return real(socket, address, length);
}
