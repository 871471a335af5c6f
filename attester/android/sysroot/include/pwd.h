#include <sys/types.h>
struct passwd {
  char* pw_name;
  char* pw_passwd;
  uid_t pw_uid;
  gid_t pw_gid;
#ifdef __LP64__
  char* pw_gecos;
#endif
  char* pw_dir;
  char* pw_shell;
};
