#undef assert
#include <sys/cdefs.h>
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
#define assert(e) ((e) ? (void)0 : __assert2(__FILE__, __LINE__, __PRETTY_FUNCTION__, #e))
#endif
#if !defined(__cplusplus) && __STDC_VERSION__ >= 201112L
#undef static_assert
#define static_assert _Static_assert
#endif
__BEGIN_DECLS
void __assert2(const char*, int, const char*, const char*) __attribute__((__noreturn__));
__END_DECLS
