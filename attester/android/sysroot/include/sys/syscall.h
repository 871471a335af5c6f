#include <asm/unistd.h>
#include <linux/unistd.h>
#include <sys/cdefs.h>
#define SYS_futex __NR_futex
#define SYS_getpid __NR_getpid
#define SYS_gettid __NR_gettid
#define SYS_getrandom __NR_getrandom
#define SYS_rt_sigprocmask __NR_rt_sigprocmask
#define SYS_process_vm_readv __NR_process_vm_readv
#define SYS_membarrier __NR_membarrier
