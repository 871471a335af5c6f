#include <linux/prctl.h>
#include <sys/cdefs.h>
