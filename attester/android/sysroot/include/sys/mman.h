#include <linux/mman.h>
#include <sys/types.h>
#define MAP_ANON MAP_ANONYMOUS
#define MAP_FAILED ((void*)-1)
