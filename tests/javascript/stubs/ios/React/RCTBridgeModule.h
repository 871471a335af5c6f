// As much of React Native's headers as the package uses, by their text in the npm package: the
// macros declare the same methods. For type checking without UIKit.
#pragma once

#import "foundation.h"

typedef void (^RCTPromiseResolveBlock)(id _Nullable result);
typedef void (^RCTPromiseRejectBlock)(NSString* _Nullable code, NSString* _Nullable message,
                                      NSError* _Nullable error);

@protocol RCTBridgeModule
@end

#define RCT_EXPORT_MODULE(name)
#define RCT_EXPORT_METHOD(method) -(void)method
