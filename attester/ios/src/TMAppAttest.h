// One App Attest key, which vouches for the installation key (protocol/README.md, "app-attest").
#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

// Not thread-safe: the core asks one thing at a time.
@interface TMAppAttest : NSObject
- (instancetype)initWithAccount:(NSString*)account;

// The evidence's member `app-attest`; nil when Apple's service cannot be had now. Blocks: the first
// time, and after forget, for as long as Apple's server takes.
- (nullable NSDictionary*)evidenceForClientDataHash:(NSData*)hash nonce:(NSString*)nonce;

- (void)forget;
@end

NS_ASSUME_NONNULL_END
