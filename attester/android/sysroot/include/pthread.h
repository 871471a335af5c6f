#include <bits/touchmark_pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
enum { PTHREAD_MUTEX_NORMAL = 0, PTHREAD_MUTEX_RECURSIVE = 1, PTHREAD_MUTEX_ERRORCHECK = 2 };
#define PTHREAD_MUTEX_DEFAULT PTHREAD_MUTEX_NORMAL
#define PTHREAD_MUTEX_INITIALIZER \
  {                               \
    { 0 }                         \
  }
#define PTHREAD_COND_INITIALIZER \
  {                              \
    { 0 }                        \
  }
#define PTHREAD_RWLOCK_INITIALIZER \
  {                                \
    { 0 }                          \
  }
#define PTHREAD_ONCE_INIT 0
#define PTHREAD_CREATE_JOINABLE 0
#define PTHREAD_CREATE_DETACHED 1
#define PTHREAD_PROCESS_PRIVATE 0
#define PTHREAD_STACK_MIN (2 * 4096)
