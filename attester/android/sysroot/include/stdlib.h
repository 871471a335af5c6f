#include <alloca.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/types.h>
#include <xlocale.h>
#define EXIT_FAILURE 1
#define EXIT_SUCCESS 0
#define RAND_MAX 0x7fffffff
#define MB_CUR_MAX ((size_t)4)
typedef struct {
  int quot;
  int rem;
} div_t;
typedef struct {
  long quot;
  long rem;
} ldiv_t;
typedef struct {
  long long quot;
  long long rem;
} lldiv_t;
// What is not in libc. strtod_l and strtof_l are as the NDK has them below API 26.
__BEGIN_DECLS
int atexit(void (*)(void));  // in the start file of each library
double strtod(const char*, char**);
float strtof(const char*, char**);
static inline double strtod_l(const char* text, char** end, locale_t locale) {
  (void)locale;
  return strtod(text, end);
}
static inline float strtof_l(const char* text, char** end, locale_t locale) {
  (void)locale;
  return strtof(text, end);
}
__END_DECLS
