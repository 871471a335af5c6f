#include <sys/types.h>
#include <time.h>
