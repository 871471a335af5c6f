#include <stdint.h>

typedef struct {
  intmax_t quot;
  intmax_t rem;
} imaxdiv_t;

#ifdef __LP64__
#define __TOUCHMARK_64 "l"
#define __TOUCHMARK_PTR "l"
#else
#define __TOUCHMARK_64 "ll"
#define __TOUCHMARK_PTR
#endif
#define PRId8 "d"
#define PRId16 "d"
#define PRId32 "d"
#define PRId64 __TOUCHMARK_64 "d"
#define PRIi32 "i"
#define PRIi64 __TOUCHMARK_64 "i"
#define PRIu8 "u"
#define PRIu16 "u"
#define PRIu32 "u"
#define PRIu64 __TOUCHMARK_64 "u"
#define PRIx8 "x"
#define PRIx16 "x"
#define PRIx32 "x"
#define PRIx64 __TOUCHMARK_64 "x"
#define PRIX32 "X"
#define PRIX64 __TOUCHMARK_64 "X"
#define PRIo32 "o"
#define PRIo64 __TOUCHMARK_64 "o"
#define PRIdPTR __TOUCHMARK_PTR "d"
#define PRIuPTR __TOUCHMARK_PTR "u"
#define PRIxPTR __TOUCHMARK_PTR "x"
#define PRIdMAX "jd"
#define PRIuMAX "ju"
#define PRIxMAX "jx"
#define SCNd32 "d"
#define SCNd64 __TOUCHMARK_64 "d"
#define SCNu32 "u"
#define SCNu64 __TOUCHMARK_64 "u"
#define SCNx32 "x"
#define SCNx64 __TOUCHMARK_64 "x"
#define SCNxPTR __TOUCHMARK_PTR "x"
