#import "Touchmark.h"

#import <Security/Security.h>
#include <sys/utsname.h>

#import "TMSecureEnclaveKey.h"
#include "attester/include/touchmark.h"

NSErrorDomain const TMErrorDomain = @"touchmark";

static NSError *error_of(touchmark_status status, const char *message) {
  NSString *text = @(message != NULL ? message : touchmark_status_text(status));
  return [NSError errorWithDomain:TMErrorDomain
                             code:status
                         userInfo:@{NSLocalizedDescriptionKey : text}];
}

// As a URL has it. URLs and protection spaces give an IPv6 address with brackets or without them,
// as the release of iOS is.
static NSString *bracketed(NSString *host) {
  const BOOL bare_ipv6 = [host containsString:@":"] && ![host hasPrefix:@"["];
  return bare_ipv6 ? [NSString stringWithFormat:@"[%@]", host] : host;
}

// What the policy reads: "17.5.1", and "iPhone16,2" (a simulator gives the Mac's processor).
static NSString *platform_text(void) {
  const NSOperatingSystemVersion os = NSProcessInfo.processInfo.operatingSystemVersion;
  struct utsname machine = {0};
  uname(&machine);
  NSData *json = [NSJSONSerialization dataWithJSONObject:@{
    @"os" : @"ios",
    @"os_version" : [NSString stringWithFormat:@"%ld.%ld.%ld", (long)os.majorVersion,
                                               (long)os.minorVersion, (long)os.patchVersion],
    @"manufacturer" : @"Apple",
    @"model" : @(machine.machine),
  } options:0 error:NULL];
  return [[NSString alloc] initWithData:json encoding:NSUTF8StringEncoding];
}

@implementation TMToken
- (instancetype)initWithResult:(const touchmark_result *)result {
  if ((self = [super init])) {
    _headerName = @(result->header);
    _headerValue = [@(result->prefix) stringByAppendingString:@(result->token)];
    _token = @(result->token);
    _arc = @(result->arc == NULL ? "" : result->arc);
    _message = @(result->message == NULL ? "" : result->message);
    _configChanged = result->config_changed != 0;
    _expiresIn = result->expires_in;
  }
  return self;
}
@end

@implementation TMTouchmark {
  touchmark_client *_client;
  TMSecureEnclaveKey *_key;
  NSSet<NSString *> *_headers;  // that tokens were given with: the configuration names another in time
}

- (nullable instancetype)initWithBundle:(NSBundle *)bundle error:(NSError **)error {
  NSURL *file = [bundle URLForResource:@"touchmark-initial" withExtension:@"config"];
  NSString *text = file == nil ? nil
                               : [NSString stringWithContentsOfURL:file
                                                          encoding:NSUTF8StringEncoding
                                                             error:NULL];
  if (text == nil) {
    if (error != NULL) {
      *error = error_of(TOUCHMARK_BAD_CONFIG,
                        "the app's bundle has no touchmark-initial.config that can be read");
    }
    return nil;
  }
  NSCharacterSet *space = NSCharacterSet.whitespaceAndNewlineCharacterSet;
  return [self initWithConfig:[text stringByTrimmingCharactersInSet:space] error:error];
}

- (nullable instancetype)initWithConfig:(NSString *)config error:(NSError **)error {
  if (!(self = [super init])) return nil;
  _key = [[TMSecureEnclaveKey alloc] init];
  const touchmark_key_provider provider = [_key provider];
  // Not among the caches, which iOS empties: the newest configuration would go with them.
  NSString *folder =
      NSSearchPathForDirectoriesInDomains(NSApplicationSupportDirectory, NSUserDomainMask, YES)
          .firstObject;
  NSString *storage = [folder stringByAppendingPathComponent:@"touchmark"];
  touchmark_options options = {0};
  options.size = sizeof options;
  options.config = config.UTF8String;
  options.storage_dir = storage.UTF8String;
  options.package_path = NSBundle.mainBundle.bundlePath.UTF8String;
  options.package_name = NSBundle.mainBundle.bundleIdentifier.UTF8String;
  options.platform_json = platform_text().UTF8String;
  options.sdk_platform = "iOS";
  options.key_provider = &provider;
  const char *message = NULL;
  const touchmark_status status = touchmark_open(&options, &_client, &message);
  if (status == TOUCHMARK_OK) {
    // Not in a backup: an installation's key does not move to another phone.
    [[NSURL fileURLWithPath:storage isDirectory:YES] setResourceValue:@YES
                                                               forKey:NSURLIsExcludedFromBackupKey
                                                                error:NULL];
    return self;
  }
  if (error != NULL) *error = error_of(status, message);
  return nil;
}

// The last reference may go in a completion block, on the core's own thread, which must not close
// the client: closing waits for that thread. The key outlives the client.
- (void)dealloc {
  touchmark_client *client = _client;
  TMSecureEnclaveKey *key = _key;
  dispatch_async(dispatch_get_global_queue(QOS_CLASS_UTILITY, 0), ^{
    touchmark_close(client);
    (void)key;
  });
}

static void fetched(void *context, touchmark_result *result) {
  void (^completion)(TMToken *, NSError *) = CFBridgingRelease(context);
  if (result->status == TOUCHMARK_OK) {
    completion([[TMToken alloc] initWithResult:result], nil);
  } else {
    completion(nil, error_of(result->status, result->message));
  }
}

- (void)noteHeader:(NSString *)name {
  @synchronized(self) {
    if ([_headers containsObject:name]) return;
    _headers = [(_headers == nil ? [NSSet set] : _headers) setByAddingObject:name];
  }
}

// What the connection will go by: a URL's parts, which need not be what its text says.
static NSString *origin_of(NSURL *url) {
  NSString *host = bracketed(url.host == nil ? @"" : url.host);
  NSString *port = url.port == nil ? @"" : [@":" stringByAppendingString:url.port.stringValue];
  return [NSString stringWithFormat:@"%@://%@%@", url.scheme, host, port];
}

// A C string ends at a NUL, and what is behind it would not count.
static BOOL is_whole(NSString *_Nullable text) {
  return text == nil || strlen(text.UTF8String) == [text lengthOfBytesUsingEncoding:NSUTF8StringEncoding];
}

- (void)fetchTokenForURL:(NSURL *)url
                 binding:(nullable NSString *)binding
              completion:(void (^)(TMToken *_Nullable, NSError *_Nullable))completion {
  NSString *text = url.absoluteString;
  if (!is_whole(text) || !is_whole(binding) ||
      !touchmark_same_host(text.UTF8String, origin_of(url).UTF8String)) {
    completion(nil, error_of(TOUCHMARK_INVALID_ARGUMENT, NULL));
    return;
  }
  void (^noted)(TMToken *, NSError *) = ^(TMToken *token, NSError *error) {
    if (token != nil) [self noteHeader:token.headerName];
    completion(token, error);
  };
  void *context = (void *)CFBridgingRetain([noted copy]);
  const touchmark_status status = touchmark_fetch_token_async(
      _client, text.UTF8String, binding.UTF8String, fetched, context);
  if (status == TOUCHMARK_OK) return;
  CFBridgingRelease(context);
  completion(nil, error_of(status, NULL));
}

- (void)discardTokens {
  touchmark_discard_tokens(_client);
}

// The chain that the platform has evaluated, not what the peer sent: each of its certificates may
// issue, and its root, of whatever version, is one that the phone trusts.
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

- (BOOL)refuses:(NSURLAuthenticationChallenge *)challenge {
  NSURLProtectionSpace *space = challenge.protectionSpace;
  if (![space.authenticationMethod isEqualToString:NSURLAuthenticationMethodServerTrust]) return NO;
  NSString *host = [NSString stringWithFormat:@"%@:%ld", bracketed(space.host), (long)space.port];
  SecTrustRef trust = space.serverTrust;
  return trust == NULL || ![self allowsTrust:trust forHost:host];
}

- (void)answerChallenge:(NSURLAuthenticationChallenge *)challenge
             completion:(void (^)(NSURLSessionAuthChallengeDisposition,
                                  NSURLCredential *_Nullable))completion {
  completion([self refuses:challenge] ? NSURLSessionAuthChallengeCancelAuthenticationChallenge
                                      : NSURLSessionAuthChallengePerformDefaultHandling,
             nil);
}

- (NSURLRequest *)requestForRedirect:(NSURLRequest *)request ofTask:(NSURLSessionTask *)task {
  NSURL *asked = task.originalRequest.URL;
  NSURL *target = request.URL;
  if (asked != nil && target != nil && [TMTouchmark isURL:target ofSameHostAs:asked]) return request;
  NSSet<NSString *> *headers;
  @synchronized(self) {
    headers = _headers;
  }
  NSMutableURLRequest *next = [request mutableCopy];
  for (NSString *name in headers) [next setValue:nil forHTTPHeaderField:name];
  return next;
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

- (BOOL)isProtectedHost:(NSString *)host {
  return touchmark_is_protected(_client, host.UTF8String) != 0;
}

+ (BOOL)isURL:(NSURL *)url ofSameHostAs:(NSURL *)other {
  return touchmark_same_host(url.absoluteString.UTF8String, other.absoluteString.UTF8String) != 0;
}

- (int64_t)configVersion {
  return touchmark_config_version(_client);
}

+ (NSString *)version {
  return @(touchmark_version());
}

@end
