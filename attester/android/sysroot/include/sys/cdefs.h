#define __BIONIC__ 1
#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif
#define __CONCAT(a, b) a##b
#define __STRING(a) #a
#define __P(a) a
#define __THROW
#define __ANDROID_API_FUTURE__ 10000
#ifndef __ANDROID_API__
#error "no API level: the compiler's target is not Android"
#endif
#define __INTRODUCED_IN(level)
#define __printflike(format, first) __attribute__((__format__(printf, format, first)))
