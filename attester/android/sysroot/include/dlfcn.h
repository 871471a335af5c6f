#include <stdint.h>
typedef struct {
  const char* dli_fname;
  void* dli_fbase;
  const char* dli_sname;
  void* dli_saddr;
} Dl_info;
#ifdef __LP64__
#define RTLD_NOW 2
#define RTLD_GLOBAL 0x100
#define RTLD_DEFAULT ((void*)0)
#define RTLD_NEXT ((void*)-1L)
#else
#define RTLD_NOW 0
#define RTLD_GLOBAL 2
#define RTLD_DEFAULT ((void*)-1)
#define RTLD_NEXT ((void*)-2)
#endif
#define RTLD_LAZY 1
#define RTLD_LOCAL 0
#define RTLD_NOLOAD 4
#define RTLD_NODELETE 0x1000
