// As much of cordova-ios as the plugin uses, by its documentation.
#pragma once

#import "foundation.h"

NS_ASSUME_NONNULL_BEGIN

typedef NSUInteger CDVCommandStatus;
enum { CDVCommandStatus_OK = 1, CDVCommandStatus_ERROR = 9 };

@interface CDVPluginResult : NSObject
+ (CDVPluginResult*)resultWithStatus:(CDVCommandStatus)status;
+ (CDVPluginResult*)resultWithStatus:(CDVCommandStatus)status messageAsString:(NSString*)message;
+ (CDVPluginResult*)resultWithStatus:(CDVCommandStatus)status messageAsNSInteger:(NSInteger)message;
+ (CDVPluginResult*)resultWithStatus:(CDVCommandStatus)status
                 messageAsDictionary:(NSDictionary*)message;
@end

@interface CDVInvokedUrlCommand : NSObject
@property(readonly) NSArray* arguments;
@property(readonly) NSString* callbackId;
@end

@protocol CDVCommandDelegate
- (void)sendPluginResult:(CDVPluginResult*)result callbackId:(NSString*)callbackId;
- (void)runInBackground:(void (^)(void))block;
@end

@interface CDVPlugin : NSObject
@property(readonly) id<CDVCommandDelegate> commandDelegate;
@end

NS_ASSUME_NONNULL_END
