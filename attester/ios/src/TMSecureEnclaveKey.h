// The installation key in the Secure Enclave, as a key provider of the C interface.
#import <Foundation/Foundation.h>

#include "attester/include/touchmark.h"

NS_ASSUME_NONNULL_BEGIN

@interface TMSecureEnclaveKey : NSObject
// Its functions call this object, which must outlive the client.
- (touchmark_key_provider)provider;
@end

NS_ASSUME_NONNULL_END
