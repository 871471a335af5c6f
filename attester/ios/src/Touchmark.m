#import "Touchmark.h"

#import <Security/Security.h>

#import "TMSecureEnclaveKey.h"
#include "attester/include/touchmark.h"

NSErrorDomain const TMErrorDomain = @"dev.touchmark";

static NSError *error_of(touchmark_status status, const char *message) {
  NSString *text = @(message != NULL ? message : touchmark_status_text(status));
  return [NSError errorWithDomain:TMErrorDomain
                             code:status
                         userInfo:@{NSLocalizedDescriptionKey : text}];
}

@implementation TMToken
- (instancetype)initWithResult:(const touchmark_result *)result {
  if ((self = [super init])) {
    _headerName = @(result->header);
    _headerValue = [@(result->prefix) stringByAppendingString:@(result->token)];
  }
  return self;
}
@end

@implementation TMTouchmark {
  touchmark_client *_client;
  TMSecureEnclaveKey *_key;
}

- (nullable instancetype)initWithConfig:(NSString *)config error:(NSError **)error {
  if (!(self = [super init])) return nil;
  _key = [[TMSecureEnclaveKey alloc] init];
  const touchmark_key_provider provider = [_key provider];
  // Not in a backup: an installation's key does not move to another phone.
  NSString *folder = NSSearchPathForDirectoriesInDomains(NSCachesDirectory, NSUserDomainMask, YES)[0];
  NSString *storage = [folder stringByAppendingPathComponent:@"dev.touchmark"];
  NSString *version = NSProcessInfo.processInfo.operatingSystemVersionString;
  NSData *platform = [NSJSONSerialization dataWithJSONObject:@{
    @"os" : @"ios",
    @"os_version" : version,
  } options:0 error:NULL];
  NSString *platform_text = [[NSString alloc] initWithData:platform encoding:NSUTF8StringEncoding];
  touchmark_options options = {0};
  options.size = sizeof options;
  options.config = config.UTF8String;
  options.storage_dir = storage.UTF8String;
  options.package_path = NSBundle.mainBundle.bundlePath.UTF8String;
  options.package_name = NSBundle.mainBundle.bundleIdentifier.UTF8String;
  options.platform_json = platform_text.UTF8String;
  options.sdk_platform = "iOS";
  options.key_provider = &provider;
  const char *message = NULL;
  const touchmark_status status = touchmark_open(&options, &_client, &message);
  if (status == TOUCHMARK_OK) return self;
  if (error != NULL) *error = error_of(status, message);
  return nil;
}

- (void)dealloc {
  touchmark_close(_client);
}

static void fetched(void *context, touchmark_result *result) {
  void (^completion)(TMToken *, NSError *) = CFBridgingRelease(context);
  if (result->status == TOUCHMARK_OK) {
    completion([[TMToken alloc] initWithResult:result], nil);
  } else {
    completion(nil, error_of(result->status, result->message));
  }
}

- (void)fetchTokenForURL:(NSURL *)url
                 binding:(nullable NSString *)binding
              completion:(void (^)(TMToken *_Nullable, NSError *_Nullable))completion {
  void *context = (void *)CFBridgingRetain([completion copy]);
  const touchmark_status status = touchmark_fetch_token_async(
      _client, url.absoluteString.UTF8String, binding.UTF8String, fetched, context);
  if (status == TOUCHMARK_OK) return;
  CFBridgingRelease(context);
  completion(nil, error_of(status, NULL));
}

- (void)discardTokens {
  touchmark_discard_tokens(_client);
}

- (BOOL)allowsTrust:(SecTrustRef)trust forHost:(NSString *)host {
  if (!SecTrustEvaluateWithError(trust, NULL)) return NO;
  const CFIndex count = SecTrustGetCertificateCount(trust);
  NSMutableData *digests = [NSMutableData data];
  for (CFIndex i = 0; i < count; ++i) {
    NSData *digest = [TMTouchmark keyDigestOf:SecTrustGetCertificateAtIndex(trust, i)];
    if (digest == nil) break;  // what comes after a key that cannot be read is not looked at
    [digests appendData:digest];
  }
  const uint8_t(*chain)[32] = (const uint8_t(*)[32])digests.bytes;
  return touchmark_pin_allows(_client, host.UTF8String, chain, digests.length / 32) != 0;
}

// SHA-256 of the certificate's SubjectPublicKeyInfo.
+ (nullable NSData *)keyDigestOf:(SecCertificateRef)certificate {
  NSData *der = CFBridgingRelease(SecCertificateCopyData(certificate));
  uint8_t digest[32];
  if (!touchmark_certificate_pin(der.bytes, der.length, digest)) return nil;
  return [NSData dataWithBytes:digest length:sizeof digest];
}

- (NSString *)deviceID {
  return @(touchmark_device_id(_client));
}

@end
