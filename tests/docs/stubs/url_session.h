// As much of URLSession as the iOS guide uses, beside attester/ios/test/stubs.
#pragma once

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

@interface NSURLSession : NSObject
@end
@interface NSURLSessionTask : NSObject
@end
@interface NSHTTPURLResponse : NSObject
@end
@interface NSURLRequest : NSObject
@end
@interface NSMutableURLRequest : NSURLRequest
- (void)setValue:(nullable NSString*)value forHTTPHeaderField:(NSString*)field;
@end

NS_ASSUME_NONNULL_END
