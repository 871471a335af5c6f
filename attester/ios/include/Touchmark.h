// The Touchmark SDK for iOS 14 and newer: tokens for requests, pins for connections. A thin layer
// over the C interface (attester/include/touchmark.h). All methods may be called on any thread.
#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

extern NSErrorDomain const TMErrorDomain;  // codes are those of touchmark_status

@interface TMToken : NSObject
@property(nonatomic, readonly, copy) NSString* headerName;   // "Touchmark-Token"
@property(nonatomic, readonly, copy) NSString* headerValue;  // prefix and token
@end

@interface TMTouchmark : NSObject

// Opens the SDK with the text of the initial configuration, which the app's bundle carries. Keep
// one instance for the life of the app.
- (nullable instancetype)initWithConfig:(NSString*)config error:(NSError**)error;
- (instancetype)init NS_UNAVAILABLE;

// Fetches a token for `url`, from the cache while it is fresh. `binding`: a value that the token is
// bound to, or nil. `completion` runs once, on a thread of the SDK, with a token or an error.
- (void)fetchTokenForURL:(NSURL*)url
                 binding:(nullable NSString*)binding
              completion:(void (^)(TMToken* _Nullable token, NSError* _Nullable error))completion;

// For a request that was answered with 401 although it carried a token.
- (void)discardTokens;

// For URLSession:didReceiveChallenge:completionHandler:. NO: refuse the connection. The platform's
// own evaluation of the trust comes first, and is this method's first step.
- (BOOL)allowsTrust:(SecTrustRef)trust forHost:(NSString*)host;

@property(nonatomic, readonly, copy) NSString* deviceID;  // empty before the first token
@end

NS_ASSUME_NONNULL_END
