#import "TouchmarkModule.h"

#import <Touchmark/Touchmark.h>

#import "TouchmarkShared.h"

@implementation TouchmarkModule

RCT_EXPORT_MODULE(Touchmark)

+ (BOOL)requiresMainQueueSetup {
  return NO;
}

static void refuse(RCTPromiseRejectBlock reject, NSError *error) {
  reject([NSString stringWithFormat:@"%ld", (long)error.code], error.localizedDescription, error);
}

// Of touchmark.h: TOUCHMARK_INTERNAL.
static void refuseUnopened(RCTPromiseRejectBlock reject) {
  reject(@"10", @"openTouchmark was not called", nil);
}

RCT_EXPORT_METHOD(open:(NSString *)config
                  resolve:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  NSError *error = nil;
  if (TouchmarkOpen(config, &error) != nil) {
    resolve(nil);
  } else {
    refuse(reject, error);
  }
}

RCT_EXPORT_METHOD(fetchToken:(NSString *)url
                  binding:(NSString *)binding
                  resolve:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return refuseUnopened(reject);
  NSURL *parsed = [NSURL URLWithString:url];
  // Of touchmark.h: TOUCHMARK_INVALID_ARGUMENT.
  if (parsed == nil) return reject(@"1", @"this is no URL", nil);
  [sdk fetchTokenForURL:parsed
                binding:binding.length == 0 ? nil : binding
             completion:^(TMToken *token, NSError *error) {
               if (token == nil) return refuse(reject, error);
               resolve(TouchmarkResult(token));
             }];
}

RCT_EXPORT_METHOD(discardTokens:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return refuseUnopened(reject);
  [sdk discardTokens];
  resolve(nil);
}

RCT_EXPORT_METHOD(isProtected:(NSString *)host
                  resolve:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return refuseUnopened(reject);
  resolve(@([sdk isProtectedHost:host]));
}

RCT_EXPORT_METHOD(getDeviceId:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return refuseUnopened(reject);
  resolve(sdk.deviceID);
}

RCT_EXPORT_METHOD(getConfigVersion:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  TMTouchmark *sdk = TouchmarkInstance();
  if (sdk == nil) return refuseUnopened(reject);
  resolve(@(sdk.configVersion));
}

RCT_EXPORT_METHOD(getVersion:(RCTPromiseResolveBlock)resolve
                  reject:(RCTPromiseRejectBlock)reject) {
  resolve(TMTouchmark.version);
}

#ifdef RCT_NEW_ARCH_ENABLED
- (std::shared_ptr<facebook::react::TurboModule>)getTurboModule:
    (const facebook::react::ObjCTurboModule::InitParams &)params {
  return std::make_shared<facebook::react::NativeTouchmarkSpecJSI>(params);
}
#endif

@end
