#import "TouchmarkRequestHandler.h"

#import <React/RCTBridgeModule.h>
#import <Touchmark/Touchmark.h>

#import "TouchmarkShared.h"

// React Native's handler is its session's delegate, which its header does not say.
@interface RCTHTTPRequestHandler (Delegate) <NSURLSessionTaskDelegate>
@end

@implementation TouchmarkRequestHandler

RCT_EXPORT_MODULE()

// Asked before React Native's own, whose priority is 0.
- (float)handlerPriority {
  return 1;
}

- (void)URLSession:(NSURLSession *)session
    didReceiveChallenge:(NSURLAuthenticationChallenge *)challenge
      completionHandler:(void (^)(NSURLSessionAuthChallengeDisposition,
                                  NSURLCredential *_Nullable))completionHandler {
  TouchmarkAnswerChallenge(challenge, completionHandler);
}

- (void)URLSession:(NSURLSession *)session
                          task:(NSURLSessionTask *)task
    willPerformHTTPRedirection:(NSHTTPURLResponse *)response
                    newRequest:(NSURLRequest *)request
             completionHandler:(void (^)(NSURLRequest *_Nullable))completionHandler {
  TMTouchmark *sdk = TouchmarkInstance();
  NSURLRequest *next = sdk == nil ? request : [sdk requestForRedirect:request ofTask:task];
  [super URLSession:session
                            task:task
      willPerformHTTPRedirection:response
                      newRequest:next
               completionHandler:completionHandler];
}

@end
