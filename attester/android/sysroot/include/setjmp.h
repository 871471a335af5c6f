#include <sys/cdefs.h>
#ifdef __aarch64__
typedef long jmp_buf[32];
#elif defined(__arm__)
typedef long jmp_buf[64];
#elif defined(__x86_64__)
typedef long jmp_buf[11];
#else
typedef long jmp_buf[10];
#endif
#ifdef __aarch64__
typedef long sigjmp_buf[33];
#elif defined(__arm__)
typedef long sigjmp_buf[65];
#else
typedef long sigjmp_buf[12];
#endif
