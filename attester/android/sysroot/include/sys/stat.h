#include <linux/stat.h>
#include <sys/types.h>
#include <time.h>
#if defined(__x86_64__)
#define __TOUCHMARK_STAT                     \
  dev_t st_dev;                              \
  ino_t st_ino;                              \
  unsigned long st_nlink;                    \
  mode_t st_mode;                            \
  uid_t st_uid;                              \
  gid_t st_gid;                              \
  unsigned int __pad0;                       \
  dev_t st_rdev;                             \
  off_t st_size;                             \
  long st_blksize;                           \
  long st_blocks;                            \
  struct timespec st_atim, st_mtim, st_ctim; \
  long __pad3[3];
#elif defined(__aarch64__)
#define __TOUCHMARK_STAT                     \
  dev_t st_dev;                              \
  ino_t st_ino;                              \
  mode_t st_mode;                            \
  nlink_t st_nlink;                          \
  uid_t st_uid;                              \
  gid_t st_gid;                              \
  dev_t st_rdev;                             \
  unsigned long __pad1;                      \
  off_t st_size;                             \
  int st_blksize;                            \
  int __pad2;                                \
  long st_blocks;                            \
  struct timespec st_atim, st_mtim, st_ctim; \
  unsigned int __unused4, __unused5;
#else
#define __TOUCHMARK_STAT                     \
  unsigned long long st_dev;                 \
  unsigned char __pad0[4];                   \
  unsigned long __st_ino;                    \
  unsigned int st_mode;                      \
  nlink_t st_nlink;                          \
  uid_t st_uid;                              \
  gid_t st_gid;                              \
  unsigned long long st_rdev;                \
  unsigned char __pad3[4];                   \
  long long st_size;                         \
  unsigned long st_blksize;                  \
  unsigned long long st_blocks;              \
  struct timespec st_atim, st_mtim, st_ctim; \
  unsigned long long st_ino;
#endif
struct stat {
  __TOUCHMARK_STAT
};
#define st_atime st_atim.tv_sec
#define st_mtime st_mtim.tv_sec
#define st_ctime st_ctim.tv_sec
#define UTIME_NOW ((1L << 30) - 1L)
#define UTIME_OMIT ((1L << 30) - 2L)
#define S_IREAD S_IRUSR
#define S_IWRITE S_IWUSR
