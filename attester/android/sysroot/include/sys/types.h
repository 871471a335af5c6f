#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>

#ifdef __LP64__
typedef long ssize_t;
typedef long off_t;
typedef unsigned int mode_t;
typedef unsigned int nlink_t;
typedef unsigned long dev_t;
#else
typedef int ssize_t;
typedef long off_t;
typedef unsigned short mode_t;
typedef unsigned int nlink_t;
typedef unsigned int dev_t;
#endif
typedef long long off64_t;
typedef off64_t loff_t;
typedef unsigned long ino_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef int pid_t;
typedef unsigned int id_t;
typedef unsigned long blkcnt_t;
typedef unsigned long blksize_t;
typedef unsigned long fsblkcnt_t;
typedef unsigned long fsfilcnt_t;
typedef int clockid_t;
typedef void* timer_t;
typedef long clock_t;
typedef long time_t;
typedef long suseconds_t;
typedef unsigned int useconds_t;
typedef int key_t;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef uint8_t u_int8_t;
typedef uint16_t u_int16_t;
typedef uint32_t u_int32_t;
typedef uint64_t u_int64_t;
typedef unsigned int uint;
typedef unsigned short ushort;

typedef int pthread_key_t;
typedef int pthread_once_t;
typedef long pthread_t;
typedef long pthread_mutexattr_t;
typedef long pthread_condattr_t;
typedef long pthread_rwlockattr_t;
