#include <linux/errno.h>
#include <sys/cdefs.h>
#define ENOTSUP EOPNOTSUPP
#define errno (*__errno())
