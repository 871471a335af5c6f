#include <linux/auxvec.h>
#include <sys/cdefs.h>
#define AT_SYSINFO_EHDR 33
#ifdef __arm__
#include <asm/hwcap.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#endif
