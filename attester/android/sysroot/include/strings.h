#include <stddef.h>
#include <sys/cdefs.h>
#define bzero(p, n) __builtin_memset((p), 0, (n))
