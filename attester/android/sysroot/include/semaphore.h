#include <sys/types.h>
#include <time.h>
typedef struct {
  unsigned count;
#ifdef __LP64__
  int reserved[3];
#endif
} sem_t;
