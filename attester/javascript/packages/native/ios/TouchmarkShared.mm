#import "TouchmarkShared.h"

#import <Touchmark/Touchmark.h>

static TMTouchmark *instance;

TMTouchmark *TouchmarkOpen(NSString *config, NSError **error) {
  @synchronized(TMTouchmark.class) {
    if (instance != nil) return instance;
    NSCharacterSet *space = NSCharacterSet.whitespaceAndNewlineCharacterSet;
    instance =
        config.length == 0
            ? [[TMTouchmark alloc] initWithBundle:NSBundle.mainBundle error:error]
            : [[TMTouchmark alloc] initWithConfig:[config stringByTrimmingCharactersInSet:space]
                                            error:error];
    return instance;
  }
}

TMTouchmark *TouchmarkInstance(void) {
  @synchronized(TMTouchmark.class) {
    return instance;
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

void TouchmarkAnswerChallenge(NSURLAuthenticationChallenge *challenge,
                              void (^answer)(NSURLSessionAuthChallengeDisposition,
                                             NSURLCredential *_Nullable)) {
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return answer(NSURLSessionAuthChallengePerformDefaultHandling, nil);
  [sdk answerChallenge:challenge completion:answer];
}
