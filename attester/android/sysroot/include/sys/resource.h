#include <linux/resource.h>
#include <sys/time.h>
typedef unsigned long rlim_t;
