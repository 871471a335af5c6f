#include <linux/termios.h>
#include <sys/ioctl.h>
