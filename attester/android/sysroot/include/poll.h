#include <linux/poll.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>
typedef unsigned int nfds_t;
