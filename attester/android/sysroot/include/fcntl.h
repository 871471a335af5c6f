#include <linux/fcntl.h>
#include <sys/types.h>
#ifdef __LP64__
#define F_SETLK64 F_SETLK
#define F_GETLK64 F_GETLK
#endif
#define O_ASYNC FASYNC
#define O_RSYNC O_SYNC
