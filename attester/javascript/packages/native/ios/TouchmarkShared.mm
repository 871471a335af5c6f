#import "TouchmarkShared.h"

#import <Touchmark/Touchmark.h>

// Of touchmark.h: TOUCHMARK_BAD_CONFIG.
static const NSInteger kBadConfig = 2;

static TMTouchmark *instance;
static NSSet<NSString *> *headers;

TMTouchmark *TouchmarkOpen(NSString *config, NSError **error) {
  @synchronized(TMTouchmark.class) {
    if (instance != nil) return instance;
    NSString *text = config;
    if (text.length == 0) {
      NSURL *file = [NSBundle.mainBundle URLForResource:@"touchmark-initial" withExtension:@"config"];
      text = file == nil ? nil
                         : [NSString stringWithContentsOfURL:file
                                                    encoding:NSUTF8StringEncoding
                                                       error:error];
      if (text == nil) {
        if (error != NULL) {
          NSString *message = @"the app's bundle has no touchmark-initial.config that can be read";
          *error = [NSError errorWithDomain:TMErrorDomain
                                       code:kBadConfig
                                   userInfo:@{NSLocalizedDescriptionKey : message}];
        }
        return nil;
      }
    }
    NSCharacterSet *space = NSCharacterSet.whitespaceAndNewlineCharacterSet;
    instance = [[TMTouchmark alloc] initWithConfig:[text stringByTrimmingCharactersInSet:space]
                                             error:error];
    return instance;
  }
}

TMTouchmark *TouchmarkInstance(void) {
  @synchronized(TMTouchmark.class) {
    return instance;
  }
}

void TouchmarkNoteHeader(NSString *name) {
  @synchronized(TMTouchmark.class) {
    if ([headers containsObject:name]) return;
    headers = [(headers == nil ? [NSSet set] : headers) setByAddingObject:name];
  }
}

NSSet<NSString *> *TouchmarkHeaders(void) {
  @synchronized(TMTouchmark.class) {
    return headers == nil ? [NSSet set] : headers;
  }
}

NSDictionary<NSString *, id> *TouchmarkResult(TMToken *token) {
  return @{
    @"status" : @0,
    @"token" : token.token,
    @"headerName" : token.headerName,
    @"headerValue" : token.headerValue,
    @"arc" : token.arc,
    @"message" : token.message,
    @"configChanged" : @(token.configChanged),
    @"expiresIn" : @(token.expiresIn),
  };
}

static NSString *bracketed(NSString *host) {
  const BOOL bare_ipv6 = [host containsString:@":"] && ![host hasPrefix:@"["];
  return bare_ipv6 ? [NSString stringWithFormat:@"[%@]", host] : host;
}

static BOOL refuses(NSURLAuthenticationChallenge *challenge) {
  NSURLProtectionSpace *space = challenge.protectionSpace;
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return NO;
  if (![space.authenticationMethod isEqualToString:NSURLAuthenticationMethodServerTrust]) return NO;
  NSString *host = [NSString stringWithFormat:@"%@:%ld", bracketed(space.host), (long)space.port];
  SecTrustRef trust = space.serverTrust;
  return trust == NULL || ![sdk allowsTrust:trust forHost:host];
}

void TouchmarkAnswerChallenge(NSURLAuthenticationChallenge *challenge,
                              void (^answer)(NSURLSessionAuthChallengeDisposition,
                                             NSURLCredential *_Nullable)) {
  answer(refuses(challenge) ? NSURLSessionAuthChallengeCancelAuthenticationChallenge
                            : NSURLSessionAuthChallengePerformDefaultHandling,
         nil);
}
