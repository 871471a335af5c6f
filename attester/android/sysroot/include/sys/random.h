#include <sys/types.h>
#define GRND_NONBLOCK 1
