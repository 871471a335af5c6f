#include <nl_types.h>
#include <xlocale.h>
#define CODESET 1
