#include <wchar.h>
typedef unsigned long wctype_t;
typedef const void* wctrans_t;
