#import "TMAppAttest.h"

#import <DeviceCheck/DeviceCheck.h>

static const int64_t kPatience = 20 * (int64_t)NSEC_PER_SEC;

// Members of the record in the app's defaults. None is secret: the key itself is Apple's.
static NSString *const kKeyID = @"key_id";
static NSString *const kAttestation = @"attestation";
static NSString *const kNonce = @"nonce";

@implementation TMAppAttest {
  NSString *_name;
}

- (instancetype)initWithAccount:(NSString *)account {
  if ((self = [super init])) {
    _name = [@"touchmark.app-attest." stringByAppendingString:account];
  }
  return self;
}

- (void)forget {
  [NSUserDefaults.standardUserDefaults removeObjectForKey:_name];
}

- (void)keep:(NSDictionary *)record {
  [NSUserDefaults.standardUserDefaults setObject:record forKey:_name];
}

- (nullable NSDictionary *)evidenceForClientDataHash:(NSData *)hash nonce:(NSString *)nonce {
  if (!DCAppAttestService.sharedService.isSupported) return nil;
  for (int attempt = 0; attempt < 2; ++attempt) {
    NSError *error = nil;
    NSDictionary *record = [NSUserDefaults.standardUserDefaults dictionaryForKey:_name];
    NSDictionary *evidence = [record objectForKey:kAttestation] == nil
                                 ? [self attest:[record objectForKey:kKeyID] hash:hash nonce:nonce error:&error]
                                 : [self assert:record hash:hash error:&error];
    if (evidence != nil) return evidence;
    // A key that Apple no longer knows (the app was restored on another phone): once more, from the start. Any
    // other failure keeps the key, as Apple asks, for the next attestation.
    if (error.code != DCErrorInvalidKey) return nil;
    [self forget];
  }
  return nil;
}

// The attestation is over the present challenge, so it is fresh by itself.
- (nullable NSDictionary *)attest:(nullable NSString *)keyID
                             hash:(NSData *)hash
                            nonce:(NSString *)nonce
                            error:(NSError **)error {
  DCAppAttestService *service = DCAppAttestService.sharedService;
  if (keyID == nil) {
    keyID = [self wait:^(void (^done)(id, NSError *)) {
      [service generateKeyWithCompletionHandler:done];
    } error:error];
    if (keyID == nil) return nil;
    [self keep:@{kKeyID : keyID}];
  }
  NSData *attestation = [self wait:^(void (^done)(id, NSError *)) {
    [service attestKey:keyID clientDataHash:hash completionHandler:done];
  } error:error];
  if (attestation == nil) return nil;
  NSDictionary *record = @{
    kKeyID : keyID,
    kAttestation : [attestation base64EncodedStringWithOptions:0],
    kNonce : nonce,
  };
  [self keep:record];
  return record;
}

- (nullable NSDictionary *)assert:(NSDictionary *)record
                             hash:(NSData *)hash
                            error:(NSError **)error {
  NSData *assertion = [self wait:^(void (^done)(id, NSError *)) {
    [DCAppAttestService.sharedService generateAssertion:[record objectForKey:kKeyID]
                                         clientDataHash:hash
                                      completionHandler:done];
  } error:error];
  if (assertion == nil) return nil;
  NSMutableDictionary *evidence = [record mutableCopy];
  [evidence setObject:[assertion base64EncodedStringWithOptions:0] forKey:@"assertion"];
  return evidence;
}

// Apple's calls answer on a queue of their own; this thread is the SDK's and may wait.
- (nullable id)wait:(void (^)(void (^done)(id, NSError *)))call error:(NSError **)error {
  dispatch_semaphore_t answered = dispatch_semaphore_create(0);
  __block id result = nil;
  __block NSError *failure = nil;
  call(^(id value, NSError *problem) {
    result = value;
    failure = problem;
    dispatch_semaphore_signal(answered);
  });
  if (dispatch_semaphore_wait(answered, dispatch_time(DISPATCH_TIME_NOW, kPatience)) != 0) {
    return nil;
  }
  if (error != NULL) *error = failure;
  return result;
}

@end
