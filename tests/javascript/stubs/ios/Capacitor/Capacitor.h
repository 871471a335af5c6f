// As much of Capacitor for iOS as the plugin uses, by the sources of its version 6.
#pragma once

#import "foundation.h"

NS_ASSUME_NONNULL_BEGIN

typedef NSString* CAPPluginReturnType;
extern CAPPluginReturnType const CAPPluginReturnPromise;

@interface CAPPluginMethod : NSObject
- (instancetype)initWithName:(NSString*)name returnType:(CAPPluginReturnType)type;
@end

@interface CAPPluginCall : NSObject
@property(readonly) NSDictionary* options;
- (void)resolve:(nullable NSDictionary<NSString*, id>*)value;
// clang-format off
- (void)reject:(NSString*)message
              :(nullable NSString*)code
              :(nullable NSError*)error
              :(nullable NSDictionary<NSString*, id>*)data;
// clang-format on
@end

@protocol CAPBridgedPlugin
@property(readonly) NSString* identifier;
@property(readonly) NSString* jsName;
@property(readonly) NSArray<CAPPluginMethod*>* pluginMethods;
@end

@interface CAPPlugin : NSObject
@end

NS_ASSUME_NONNULL_END
