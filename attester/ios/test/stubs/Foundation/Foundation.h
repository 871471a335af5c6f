// As much of Foundation and CoreFoundation as the binding uses, by Apple's documentation: for type
// checking on machines without Apple's SDK. Declares, implements nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NS_ASSUME_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define NS_ASSUME_NONNULL_END _Pragma("clang assume_nonnull end")
#define NS_UNAVAILABLE __attribute__((unavailable))
#define NS_SWIFT_NAME(name) __attribute__((swift_name(#name)))
#define YES __objc_yes
#define NO __objc_no
#define nil ((id)0)
#define NSEC_PER_SEC 1000000000ull

size_t strlen(const char* text);

typedef _Bool BOOL;
typedef long NSInteger;
typedef unsigned long NSUInteger;
typedef long CFIndex;
typedef int32_t OSStatus;
typedef unsigned char Boolean;

#define CF_BRIDGED __attribute__((objc_bridge(id)))
typedef const void* CFTypeRef;
typedef const struct CF_BRIDGED __CFAllocator* CFAllocatorRef;
typedef const struct __attribute__((objc_bridge(NSDictionary))) __CFDictionary* CFDictionaryRef;
typedef const struct __attribute__((objc_bridge(NSString))) __CFString* CFStringRef;
typedef const struct __attribute__((objc_bridge(NSData))) __CFData* CFDataRef;
typedef struct __attribute__((objc_bridge(NSError))) __CFError* CFErrorRef;
typedef struct __SecTrust* SecTrustRef;  // UIKit and Foundation bring it along
void CFRelease(CFTypeRef object);
CFIndex CFErrorGetCode(CFErrorRef error);

@class NSString, NSCharacterSet, NSData, NSError, NSDictionary, NSURL;

__attribute__((objc_root_class))
@interface NSObject
+ (instancetype)alloc;
- (instancetype)init;
- (void)dealloc;
- (id)copy;
- (id)mutableCopy;
@end

id CFBridgingRelease(CFTypeRef __attribute__((cf_consumed)) object)
    __attribute__((ns_returns_retained));
CFTypeRef CFBridgingRetain(id object) __attribute__((cf_returns_retained));

NS_ASSUME_NONNULL_BEGIN

typedef NSString* NSErrorDomain;
typedef NSString* NSErrorUserInfoKey;
typedef NSUInteger NSStringEncoding;
enum { NSUTF8StringEncoding = 4 };

@interface NSString : NSObject
@property(readonly, nullable) const char* UTF8String;
+ (nullable instancetype)stringWithUTF8String:(const char*)text;
- (nullable instancetype)initWithData:(NSData*)data encoding:(NSStringEncoding)encoding;
- (NSString*)stringByAppendingString:(NSString*)other;
- (NSString*)stringByAppendingPathComponent:(NSString*)component;
+ (instancetype)stringWithFormat:(NSString*)format, ...;
- (BOOL)containsString:(NSString*)text;
- (BOOL)hasPrefix:(NSString*)text;
- (BOOL)isEqualToString:(NSString*)other;
- (NSString*)stringByTrimmingCharactersInSet:(NSCharacterSet*)set;
+ (nullable instancetype)stringWithContentsOfURL:(NSURL*)url
                                        encoding:(NSStringEncoding)encoding
                                           error:(NSError* _Nullable* _Nullable)error;
- (NSUInteger)lengthOfBytesUsingEncoding:(NSStringEncoding)encoding;
- (nullable NSData*)dataUsingEncoding:(NSStringEncoding)encoding;
@end

@interface NSData : NSObject
@property(readonly) NSUInteger length;
@property(readonly) const void* bytes;
+ (instancetype)data;
+ (instancetype)dataWithBytes:(nullable const void*)bytes length:(NSUInteger)length;
- (NSString*)base64EncodedStringWithOptions:(NSUInteger)options;
@end
@interface NSMutableData : NSData
- (void)appendData:(NSData*)other;
@end

struct FastEnumeration;

@interface NSSet<T> : NSObject
+ (instancetype)set;
- (BOOL)containsObject:(T)object;
- (NSSet<T>*)setByAddingObject:(T)object;
- (NSUInteger)countByEnumeratingWithState:(struct FastEnumeration*)state
                                  objects:(id __unsafe_unretained _Nullable[_Nonnull])buffer
                                    count:(NSUInteger)count;
@end

@interface NSCharacterSet : NSObject
@property(class, readonly) NSCharacterSet* whitespaceAndNewlineCharacterSet;
@end

@interface NSNumber : NSObject
+ (NSNumber*)numberWithBool:(BOOL)value;
+ (NSNumber*)numberWithInt:(int)value;
@property(readonly) NSString* stringValue;
@end

@interface NSArray<T> : NSObject
@property(readonly, nullable) T firstObject;
- (T)objectAtIndexedSubscript:(NSUInteger)index;
@end

@interface NSDictionary<K, V> : NSObject
+ (instancetype)dictionaryWithObjects:(const V _Nonnull[_Nullable])objects
                              forKeys:(const K _Nonnull[_Nullable])keys
                                count:(NSUInteger)count;
- (nullable V)objectForKey:(K)key;
- (nullable V)objectForKeyedSubscript:(K)key;
@end
@interface NSMutableDictionary<K, V> : NSDictionary <K, V>
- (void)setObject:(V)object forKey:(K)key;
- (void)setObject:(nullable V)object forKeyedSubscript:(K)key;
@end

@interface NSError : NSObject
@property(readonly) NSInteger code;
+ (instancetype)errorWithDomain:(NSErrorDomain)domain
                           code:(NSInteger)code
                       userInfo:(nullable NSDictionary*)info;
@end
extern NSErrorUserInfoKey const NSLocalizedDescriptionKey;

typedef NSString* NSURLResourceKey;
extern NSURLResourceKey const NSURLIsExcludedFromBackupKey;

@interface NSURL : NSObject
@property(readonly, nullable) NSString* absoluteString;
@property(readonly, nullable) NSString* scheme;
@property(readonly, nullable) NSString* host;
@property(readonly, nullable) NSNumber* port;
+ (NSURL*)fileURLWithPath:(NSString*)path isDirectory:(BOOL)directory;
- (BOOL)setResourceValue:(nullable id)value
                  forKey:(NSURLResourceKey)key
                   error:(NSError* _Nullable* _Nullable)error;
@end

@interface NSUserDefaults : NSObject
@property(class, readonly) NSUserDefaults* standardUserDefaults;
- (void)removeObjectForKey:(NSString*)name;
- (void)setObject:(nullable id)object forKey:(NSString*)name;
- (nullable NSDictionary<NSString*, id>*)dictionaryForKey:(NSString*)name;
@end

@interface NSJSONSerialization : NSObject
+ (nullable NSData*)dataWithJSONObject:(id)object
                               options:(NSUInteger)options
                                 error:(NSError* _Nullable* _Nullable)error;
@end

@interface NSBundle : NSObject
@property(class, readonly) NSBundle* mainBundle;
@property(readonly) NSString* bundlePath;
@property(readonly, nullable) NSString* bundleIdentifier;
- (nullable NSURL*)URLForResource:(nullable NSString*)name withExtension:(nullable NSString*)ending;
@end

typedef struct {
  NSInteger majorVersion;
  NSInteger minorVersion;
  NSInteger patchVersion;
} NSOperatingSystemVersion;
@interface NSProcessInfo : NSObject
@property(class, readonly) NSProcessInfo* processInfo;
@property(readonly) NSOperatingSystemVersion operatingSystemVersion;
@end

enum { NSApplicationSupportDirectory = 14, NSUserDomainMask = 1 };
NSArray<NSString*>* NSSearchPathForDirectoriesInDomains(NSUInteger directory, NSUInteger domain,
                                                        BOOL expand_tilde);

@interface NSURLRequest : NSObject
@property(readonly, nullable) NSURL* URL;
@end
@interface NSMutableURLRequest : NSURLRequest
- (instancetype)initWithURL:(NSURL*)url;
@property(copy) NSString* HTTPMethod;
@property(copy, nullable) NSData* HTTPBody;
@property double timeoutInterval;
- (void)setValue:(nullable NSString*)value forHTTPHeaderField:(NSString*)field;
@end
@interface NSURLSessionTask : NSObject
@property(readonly, nullable) NSURLRequest* originalRequest;
@end
@interface NSURLCredential : NSObject
@end

extern NSString* const NSURLAuthenticationMethodServerTrust;
@interface NSURLProtectionSpace : NSObject
@property(readonly) NSString* host;
@property(readonly) NSInteger port;
@property(readonly) NSString* authenticationMethod;
@property(readonly, nullable) SecTrustRef serverTrust;
@end
@interface NSURLAuthenticationChallenge : NSObject
@property(readonly) NSURLProtectionSpace* protectionSpace;
@end

typedef NSInteger NSURLSessionAuthChallengeDisposition;
enum {
  NSURLSessionAuthChallengePerformDefaultHandling = 1,
  NSURLSessionAuthChallengeCancelAuthenticationChallenge = 2
};

NS_ASSUME_NONNULL_END

typedef NSObject* dispatch_semaphore_t;
typedef uint64_t dispatch_time_t;
#define DISPATCH_TIME_NOW 0ull
dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) __attribute__((ns_returns_retained));
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore);
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout);
typedef NSObject* dispatch_queue_t;
enum { QOS_CLASS_UTILITY = 0x11 };
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);
void dispatch_async(dispatch_queue_t queue, void (^block)(void));
dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);
