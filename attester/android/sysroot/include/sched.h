#include <linux/sched.h>
#include <sys/types.h>
#include <time.h>
struct sched_param {
  int sched_priority;
};
