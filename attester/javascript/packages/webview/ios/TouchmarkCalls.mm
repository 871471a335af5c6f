#import "TouchmarkCalls.h"

#import <Touchmark/Touchmark.h>

#import "TouchmarkShared.h"

typedef void (^TouchmarkAnswer)(id _Nullable value, NSError *_Nullable error);

// Of touchmark.h: TOUCHMARK_INVALID_ARGUMENT and TOUCHMARK_INTERNAL.
static const NSInteger kInvalidArgument = 1;
static const NSInteger kInternal = 10;

static NSError *error_of(NSInteger status, NSString *message) {
  return [NSError errorWithDomain:TMErrorDomain
                             code:status
                         userInfo:@{NSLocalizedDescriptionKey : message}];
}

// --- Requests of the native part ---------------------------------------------------------------------

// Holds its connections to the pins, and follows no redirect.
@interface TouchmarkSession : NSObject <NSURLSessionTaskDelegate>
@end

@implementation TouchmarkSession

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
  completionHandler(nil);
}

@end

static NSURLSession *shared_session(void) {
  static NSURLSession *session;
  @synchronized(TouchmarkSession.class) {
    if (session == nil) {
      NSURLSessionConfiguration *how = NSURLSessionConfiguration.ephemeralSessionConfiguration;
      session = [NSURLSession sessionWithConfiguration:how
                                              delegate:[[TouchmarkSession alloc] init]
                                         delegateQueue:nil];
    }
    return session;
  }
}

static void send_request(NSDictionary *asked, TouchmarkAnswer answer) {
  NSURL *url = [NSURL URLWithString:asked[@"url"]];
  if (url == nil || ![url.scheme.lowercaseString isEqualToString:@"https"]) {
    answer(nil, error_of(kInvalidArgument, @"only https is asked for here"));
    return;
  }
  NSMutableURLRequest *request = [[NSMutableURLRequest alloc] initWithURL:url];
  request.HTTPMethod = asked[@"method"];
  NSDictionary<NSString *, NSString *> *headers = asked[@"headers"];
  for (NSString *name in headers) [request setValue:headers[name] forHTTPHeaderField:name];
  NSData *body = [[NSData alloc] initWithBase64EncodedString:asked[@"body"] options:0];
  if (body.length > 0) request.HTTPBody = body;
  const double milliseconds = [asked[@"timeout"] doubleValue];
  if (milliseconds > 0) request.timeoutInterval = milliseconds / 1000;
  [[shared_session()
      dataTaskWithRequest:request
        completionHandler:^(NSData *content, NSURLResponse *response, NSError *error) {
          if (error != nil) {
            answer(nil, error_of(kInternal, error.localizedDescription));
            return;
          }
          NSHTTPURLResponse *http = (NSHTTPURLResponse *)response;
          NSMutableArray *pairs = [NSMutableArray array];
          for (NSString *name in http.allHeaderFields) {
            [pairs addObject:@[ name, http.allHeaderFields[name] ]];
          }
          NSString *text = content == nil ? @"" : [content base64EncodedStringWithOptions:0];
          answer(@{@"status" : @(http.statusCode), @"headers" : pairs, @"body" : text}, nil);
        }] resume];
}

// --- Calls ---------------------------------------------------------------------------------------------

static void fetch_token(TMTouchmark *sdk, NSString *url, NSString *binding, TouchmarkAnswer answer) {
  NSURL *parsed = [NSURL URLWithString:url];
  if (parsed == nil) {
    answer(nil, error_of(kInvalidArgument, @"this is no URL"));
    return;
  }
  [sdk fetchTokenForURL:parsed
                binding:binding.length == 0 ? nil : binding
             completion:^(TMToken *token, NSError *error) {
               answer(token == nil ? nil : TouchmarkResult(token), error);
             }];
}

void TouchmarkCall(NSString *action, NSArray *values, TouchmarkAnswer answer) {
  if ([action isEqualToString:@"initialize"]) {
    NSError *error = nil;
    TMTouchmark *opened = TouchmarkOpen(values[0], &error);
    answer(nil, opened == nil ? error : nil);
    return;
  }
  if ([action isEqualToString:@"getVersion"]) {
    answer(TMTouchmark.version, nil);
    return;
  }
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) {
    answer(nil, error_of(kInternal, @"openTouchmark was not called"));
  } else if ([action isEqualToString:@"fetchToken"]) {
    fetch_token(sdk, values[0], values[1], answer);
  } else if ([action isEqualToString:@"discardTokens"]) {
    [sdk discardTokens];
    answer(nil, nil);
  } else if ([action isEqualToString:@"isProtected"]) {
    answer(@([sdk isProtectedHost:values[0]]), nil);
  } else if ([action isEqualToString:@"getDeviceId"]) {
    answer(sdk.deviceID, nil);
  } else if ([action isEqualToString:@"getConfigVersion"]) {
    answer(@(sdk.configVersion), nil);
  } else if ([action isEqualToString:@"request"]) {
    send_request(values[0], answer);
  } else {
    answer(nil, error_of(kInvalidArgument, @"there is no such action"));
  }
}
