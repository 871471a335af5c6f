#include <signal.h>
#include <sys/time.h>
#include <sys/types.h>
#define FD_SETSIZE 1024
typedef struct {
  unsigned long fds_bits[FD_SETSIZE / (8 * sizeof(unsigned long))];
} fd_set;
#define FD_ZERO(set) __builtin_memset((set), 0, sizeof(*(set)))
#define FD_CLR(fd, set) __FD_CLR_chk((fd), (set), __builtin_object_size((set), 0))
#define FD_SET(fd, set) __FD_SET_chk((fd), (set), __builtin_object_size((set), 0))
#define FD_ISSET(fd, set) __FD_ISSET_chk((fd), (set), __builtin_object_size((set), 0))
