#include <sys/types.h>
typedef struct {
  uint32_t flags;
  void* stack_base;
  size_t stack_size;
  size_t guard_size;
  int32_t sched_policy;
  int32_t sched_priority;
#ifdef __LP64__
  char reserved[16];
#endif
} pthread_attr_t;
#ifdef __LP64__
#define __TOUCHMARK_WORDS(narrow, wide) wide
#else
#define __TOUCHMARK_WORDS(narrow, wide) narrow
#endif
typedef struct {
  int32_t words[__TOUCHMARK_WORDS(1, 10)];
} pthread_mutex_t;
typedef struct {
  int32_t words[__TOUCHMARK_WORDS(1, 12)];
} pthread_cond_t;
typedef struct {
  int32_t words[__TOUCHMARK_WORDS(10, 14)];
} pthread_rwlock_t;
