#import "TouchmarkPlugin.h"

#import "TouchmarkCalls.h"

@implementation TouchmarkPlugin

- (NSString *)identifier {
  return @"TouchmarkPlugin";
}

- (NSString *)jsName {
  return @"Touchmark";
}

- (NSArray<CAPPluginMethod *> *)pluginMethods {
  return @[ [[CAPPluginMethod alloc] initWithName:@"call" returnType:CAPPluginReturnPromise] ];
}

- (void)call:(CAPPluginCall *)call {
  NSString *action = call.options[@"action"];
  NSArray *values = call.options[@"values"];
  dispatch_async(dispatch_get_global_queue(QOS_CLASS_UTILITY, 0), ^{
    TouchmarkCall(action, values, ^(id value, NSError *error) {
      if (error != nil) {
        [call reject:error.localizedDescription:[@(error.code) stringValue]:error:nil];
      } else {
        [call resolve:value == nil ? @{} : @{@"value" : value}];
      }
    });
  });
}

@end
