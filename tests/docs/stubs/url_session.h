// As much of URLSession as the iOS guide uses, beside attester/ios/test/stubs.
#pragma once

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

@interface NSURLSession : NSObject
@end
@interface NSHTTPURLResponse : NSObject
@end

NS_ASSUME_NONNULL_END
