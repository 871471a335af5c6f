// What of Apple's Foundation and libdispatch GNUstep does not have, for the binding's sources. They
// are compiled without automatic reference counting, which GCC's Objective-C runtime does not know:
// objects live as long as the process, and nothing here shows how memory is managed.
#pragma once

#include <Block.h>
#import <Foundation/Foundation.h>

// As literals, which "@" may stand before.
#undef YES
#undef NO
#define YES __objc_yes
#define NO __objc_no

#define CF_BRIDGED
#define NS_SWIFT_NAME(name)
typedef const void* CFTypeRef;
typedef long CFIndex;
typedef int OSStatus;
typedef unsigned char Boolean;
typedef id CFAllocatorRef;
typedef NSDictionary* CFDictionaryRef;
typedef NSString* CFStringRef;
typedef NSData* CFDataRef;
typedef NSError* CFErrorRef;
typedef struct SecTrust* SecTrustRef;

static inline void CFRelease(CFTypeRef object) { [(id)object release]; }
static inline CFIndex CFErrorGetCode(CFErrorRef error) { return (CFIndex)[error code]; }
static inline id CFBridgingRelease(CFTypeRef object) { return [(id)object autorelease]; }

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000ull
#endif
#define NSURLIsExcludedFromBackupKey @"NSURLIsExcludedFromBackupKey"

typedef struct semaphore* dispatch_semaphore_t;
typedef unsigned long dispatch_time_t;
typedef int dispatch_queue_t;
#define DISPATCH_TIME_NOW 0ull
enum { QOS_CLASS_UTILITY = 0x11 };
dispatch_semaphore_t dispatch_semaphore_create(intptr_t value);
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore);
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout);
dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);
void dispatch_async(dispatch_queue_t queue, void (^block)(void));

typedef struct {
  NSInteger majorVersion;
  NSInteger minorVersion;
  NSInteger patchVersion;
} NSOperatingSystemVersion;
@interface NSProcessInfo (Apple)
- (NSOperatingSystemVersion)operatingSystemVersion;
@end
typedef enum {
  NSURLSessionAuthChallengePerformDefaultHandling = 1,
  NSURLSessionAuthChallengeCancelAuthenticationChallenge = 2,
} NSURLSessionAuthChallengeDisposition;
// Declared for the compiler: no test calls them.
@interface NSURLSessionTask : NSObject
- (NSURLRequest*)originalRequest;
@end
@interface NSURLProtectionSpace (Apple)
- (SecTrustRef)serverTrust;
@end
@interface NSURL (Apple)
- (BOOL)setResourceValue:(id)value forKey:(NSString*)key error:(NSError**)error;
@end
