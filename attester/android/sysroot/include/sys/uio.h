#include <linux/uio.h>
#include <sys/types.h>
