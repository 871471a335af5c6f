#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <xlocale.h>
typedef __WINT_TYPE__ wint_t;
typedef struct {
  unsigned char seq[4];
#ifdef __LP64__
  unsigned char reserved[4];
#endif
} mbstate_t;
#define WEOF ((wint_t)-1)
#ifndef WCHAR_MAX
#error "stdint.h first"
#endif
