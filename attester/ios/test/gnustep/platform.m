// Apple's frameworks for the binding on GNUstep: a software Secure Enclave and an App Attest whose
// objects nobody signs. What they get and give is what the real ones would; the test's own control
// of them is platform.h.
#import "platform.h"

#import <DeviceCheck/DeviceCheck.h>
#import <Security/Security.h>

#include <errno.h>
#include <objc/thr.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#define NAME(name) NSString *const name = @ #name
NAME(kSecClass);
NAME(kSecClassKey);
NAME(kSecAttrApplicationTag);
NAME(kSecAttrTokenID);
NAME(kSecAttrTokenIDSecureEnclave);
NAME(kSecReturnRef);
NAME(kSecAttrKeyType);
NAME(kSecAttrKeyTypeECSECPrimeRandom);
NAME(kSecAttrKeySizeInBits);
NAME(kSecPrivateKeyAttrs);
NAME(kSecAttrIsPermanent);
NAME(kSecAttrAccessControl);
NAME(kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly);
NAME(kSecKeyAlgorithmECDSASignatureMessageX962SHA256);

// --- Secure Enclave ------------------------------------------------------------------------------

@interface EnclaveKey : NSObject {
 @public
  EVP_PKEY *key;
}
@end
@implementation EnclaveKey
- (void)dealloc {
  EVP_PKEY_free(key);
  [super dealloc];
}
@end

static NSMutableDictionary *keys;  // by their tag

static NSMutableDictionary *kept_keys(void) {
  if (keys == nil) keys = [[NSMutableDictionary alloc] init];
  return keys;
}

OSStatus SecItemCopyMatching(CFDictionaryRef query, CFTypeRef *result) {
  EnclaveKey *found = [kept_keys() objectForKey:[query objectForKey:kSecAttrApplicationTag]];
  if (found == nil) return errSecItemNotFound;
  *result = [found retain];
  return errSecSuccess;
}

OSStatus SecItemDelete(CFDictionaryRef query) {
  [kept_keys() removeObjectForKey:[query objectForKey:kSecAttrApplicationTag]];
  return errSecSuccess;
}

SecAccessControlRef SecAccessControlCreateWithFlags(CFAllocatorRef allocator, CFTypeRef protection,
                                                    SecAccessControlCreateFlags flags,
                                                    CFErrorRef *error) {
  (void)allocator, (void)protection, (void)flags, (void)error;
  return (SecAccessControlRef)[[NSObject alloc] init];
}

SecKeyRef SecKeyCreateRandomKey(CFDictionaryRef attributes, CFErrorRef *error) {
  (void)error;
  NSDictionary *own = [attributes objectForKey:kSecPrivateKeyAttrs];
  const BOOL as_asked =
      [[attributes objectForKey:kSecAttrTokenID] isEqual:kSecAttrTokenIDSecureEnclave] &&
      [[attributes objectForKey:kSecAttrKeySizeInBits] intValue] == 256 &&
      [own objectForKey:kSecAttrAccessControl] != nil;
  if (!as_asked) return NULL;
  EnclaveKey *made = [[EnclaveKey alloc] init];
  made->key = EVP_EC_gen("P-256");
  [kept_keys() setObject:made forKey:[own objectForKey:kSecAttrApplicationTag]];
  return (SecKeyRef)made;
}

SecKeyRef SecKeyCopyPublicKey(SecKeyRef key) { return (SecKeyRef)[(id)key retain]; }

CFDataRef SecKeyCopyExternalRepresentation(SecKeyRef key, CFErrorRef *error) {
  (void)error;
  unsigned char point[65];
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(((EnclaveKey *)key)->key, "encoded-pub-key", point,
                                      sizeof point, &size) != 1) {
    return nil;
  }
  return [[NSData alloc] initWithBytes:point length:size];
}

CFDataRef SecKeyCreateSignature(SecKeyRef key, SecKeyAlgorithm algorithm, CFDataRef data,
                                CFErrorRef *error) {
  (void)error;
  if (![algorithm isEqual:kSecKeyAlgorithmECDSASignatureMessageX962SHA256]) return nil;
  unsigned char signature[80];
  size_t size = sizeof signature;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  const BOOL ok =
      EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, ((EnclaveKey *)key)->key) == 1 &&
      EVP_DigestSign(context, signature, &size, [data bytes], [data length]) == 1;
  EVP_MD_CTX_free(context);
  return ok ? [[NSData alloc] initWithBytes:signature length:size] : nil;
}

Boolean SecTrustEvaluateWithError(SecTrustRef trust, CFErrorRef *error) {
  (void)error;
  return trust->sound;
}
CFIndex SecTrustGetCertificateCount(SecTrustRef trust) { return (CFIndex)[trust->chain count]; }
SecCertificateRef SecTrustGetCertificateAtIndex(SecTrustRef trust, CFIndex index) {
  return (SecCertificateRef)[trust->chain objectAtIndex:(NSUInteger)index];
}
CFDataRef SecCertificateCopyData(SecCertificateRef certificate) {
  return (CFDataRef)[(id)certificate retain];
}

// --- App Attest ----------------------------------------------------------------------------------

NSMutableArray *app_attest_calls(void) {
  static NSMutableArray *calls;
  if (calls == nil) calls = [[NSMutableArray alloc] init];
  return calls;
}
NSInteger app_attest_failure;

@implementation DCAppAttestService
+ (DCAppAttestService *)sharedService {
  static DCAppAttestService *shared;
  if (shared == nil) shared = [[DCAppAttestService alloc] init];
  return shared;
}
- (BOOL)isSupported {
  return YES;
}

- (void)answer:(id)value
          call:(NSString *)name
          hash:(NSData *)hash
            to:(void (^)(id, NSError *))completion {
  [app_attest_calls() addObject:[NSArray arrayWithObjects:name, hash, nil]];
  const NSInteger failure = app_attest_failure;
  app_attest_failure = 0;  // once
  NSError *error = failure == 0 ? nil
                                : [NSError errorWithDomain:@"DCErrorDomain"
                                                      code:failure
                                                  userInfo:nil];
  dispatch_async(0, ^{
    completion(error == nil ? value : nil, error);
  });
}

- (void)generateKeyWithCompletionHandler:(void (^)(NSString *, NSError *))completion {
  NSString *name = [NSString stringWithFormat:@"key %028d", (int)[app_attest_calls() count]];
  NSData *hashed = [name dataUsingEncoding:NSUTF8StringEncoding];
  [self answer:[hashed base64EncodedStringWithOptions:0] call:@"generate" hash:nil to:completion];
}
- (void)attestKey:(NSString *)keyID
       clientDataHash:(NSData *)hash
    completionHandler:(void (^)(NSData *, NSError *))completion {
  [self answer:[[@"attested " stringByAppendingString:keyID]
                   dataUsingEncoding:NSUTF8StringEncoding]
          call:@"attest"
          hash:hash
            to:completion];
}
- (void)generateAssertion:(NSString *)keyID
           clientDataHash:(NSData *)hash
        completionHandler:(void (^)(NSData *, NSError *))completion {
  [self answer:[[@"asserted " stringByAppendingString:keyID]
                   dataUsingEncoding:NSUTF8StringEncoding]
          call:@"assert"
          hash:hash
            to:completion];
}
@end

// --- libdispatch ---------------------------------------------------------------------------------

struct semaphore {
  sem_t own;
};

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) {
  dispatch_semaphore_t made = malloc(sizeof *made);
  sem_init(&made->own, 0, (unsigned)value);
  return made;
}
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore) {
  return sem_post(&semaphore->own);
}
dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta) {
  return when + (unsigned long)delta;
}
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += (time_t)(timeout / NSEC_PER_SEC);
  int status = 0;
  do status = sem_timedwait(&semaphore->own, &end);
  while (status != 0 && errno == EINTR);
  return status;
}
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags) {
  (void)identifier, (void)flags;
  return 0;
}

static void *run_block(void *block) {
  objc_thread_add();
  NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
  ((void (^)(void))block)();
  Block_release(block);
  (void)pool;  // kept: apple.h
  objc_thread_remove();
  return NULL;
}
void dispatch_async(dispatch_queue_t queue, void (^block)(void)) {
  (void)queue;
  pthread_t thread;
  pthread_create(&thread, NULL, run_block, Block_copy(block));
  pthread_detach(thread);
}

@implementation NSProcessInfo (Apple)
- (NSOperatingSystemVersion)operatingSystemVersion {
  return (NSOperatingSystemVersion){17, 5, 1};
}
@end

@implementation NSURL (Apple)
- (BOOL)setResourceValue:(id)value forKey:(NSString *)key error:(NSError **)error {
  (void)value, (void)key, (void)error;
  return YES;  // the file system here has no backups to be left out of
}
@end
