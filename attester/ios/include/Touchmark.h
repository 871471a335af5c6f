// The Touchmark SDK for iOS 14 and newer: tokens for requests, pins for connections. A thin layer
// over the C interface (attester/include/touchmark.h). All methods may be called on any thread.
#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

extern NSErrorDomain const TMErrorDomain;  // codes are those of touchmark_status

@interface TMToken : NSObject
@property(nonatomic, readonly, copy) NSString* headerName;   // "Touchmark-Token"
@property(nonatomic, readonly, copy) NSString* headerValue;  // prefix and token
@property(nonatomic, readonly, copy) NSString* token;
@property(nonatomic, readonly, copy) NSString* arc;      // "" unless the policy reveals it
@property(nonatomic, readonly, copy) NSString* message;  // for logs; "" when nothing is worth one
@property(nonatomic, readonly) BOOL configChanged;
@property(nonatomic, readonly) int64_t expiresIn;  // seconds
@end

@interface TMTouchmark : NSObject

// Opens the SDK with the text of the initial configuration, which the app's bundle carries. Keep
// one instance for the life of the app.
- (nullable instancetype)initWithConfig:(NSString*)config
                                  error:(NSError**)error NS_SWIFT_NAME(init(config:));
// The same with touchmark-initial.config, a resource of the bundle.
- (nullable instancetype)initWithBundle:(NSBundle*)bundle
                                  error:(NSError**)error NS_SWIFT_NAME(init(bundle:));
- (instancetype)init NS_UNAVAILABLE;

// Fetches a token for `url`, from the cache while it is fresh. `binding`: a value that the token is
// bound to, or nil. `completion` runs once, with a token or an error: on a thread of the SDK, or on
// the caller's where the arguments are none. Scheme, host and port of the URL alone are looked at.
// Where URLSession may follow a redirect, answer with requestForRedirect:ofTask:.
- (void)fetchTokenForURL:(NSURL*)url
                 binding:(nullable NSString*)binding
              completion:(void (^)(TMToken* _Nullable token, NSError* _Nullable error))completion
    NS_SWIFT_NAME(fetchToken(for:binding:completion:));

// For a request that was answered with 401 although it carried a token.
- (void)discardTokens;

// For URLSession:didReceiveChallenge:completionHandler:. NO: refuse the connection. The platform's
// own evaluation of the trust comes first, and is this method's first step. `host`: "host:port" of
// the challenge's protection space, or "host": then one of the pins of all rules of the host has to
// be met, and a rule without pins does not unpin it.
- (BOOL)allowsTrust:(SecTrustRef)trust forHost:(NSString*)host NS_SWIFT_NAME(allows(_:host:));
// Answers URLSession:didReceiveChallenge:completionHandler:, and its kin of a task. A server whose
// keys are refused is cancelled; everything else is left to iOS.
- (void)answerChallenge:(NSURLAuthenticationChallenge*)challenge
             completion:(void (^)(NSURLSessionAuthChallengeDisposition,
                                  NSURLCredential* _Nullable))completion
    NS_SWIFT_NAME(answer(_:completion:));

// For URLSession:task:willPerformHTTPRedirection:newRequest:completionHandler:, which URLSession
// calls in all sessions but background ones. The request to go on with: without a token where it
// leads to another host than the task's first request, which URLSession would take the header to.
- (NSURLRequest*)requestForRedirect:(NSURLRequest*)request
                             ofTask:(NSURLSessionTask*)task NS_SWIFT_NAME(request(forRedirect:of:));

// Empty before the first token. Asks the Secure Enclave for the key of an earlier run.
@property(nonatomic, readonly, copy) NSString* deviceID;

// Whether the configuration names this "host" or "host:port" as a protected API.
- (BOOL)isProtectedHost:(NSString*)host NS_SWIFT_NAME(isProtected(_:));
// Whether both are https URLs of one host and port.
+ (BOOL)isURL:(NSURL*)url ofSameHostAs:(NSURL*)other;
@property(nonatomic, readonly) int64_t configVersion;
@property(class, nonatomic, readonly, copy) NSString* version;  // of the SDK
@end

NS_ASSUME_NONNULL_END
