#include <linux/if.h>
#include <sys/socket.h>
#ifndef IF_NAMESIZE
#define IF_NAMESIZE IFNAMSIZ
#endif
struct if_nameindex {
  unsigned if_index;
  char* if_name;
};
