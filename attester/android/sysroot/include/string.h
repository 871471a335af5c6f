#include <stddef.h>
#include <strings.h>
#include <sys/cdefs.h>
#include <xlocale.h>
