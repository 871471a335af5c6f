#include <asm/ioctls.h>
#include <linux/ioctl.h>
#include <sys/cdefs.h>
