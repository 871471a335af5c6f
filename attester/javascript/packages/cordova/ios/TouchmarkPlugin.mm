#import "TouchmarkPlugin.h"

#import "TouchmarkCalls.h"

@implementation TouchmarkPlugin

static CDVPluginResult *result_of(id value) {
  if (value == nil) return [CDVPluginResult resultWithStatus:CDVCommandStatus_OK];
  if ([value isKindOfClass:NSDictionary.class]) {
    return [CDVPluginResult resultWithStatus:CDVCommandStatus_OK messageAsDictionary:value];
  }
  if ([value isKindOfClass:NSString.class]) {
    return [CDVPluginResult resultWithStatus:CDVCommandStatus_OK messageAsString:value];
  }
  return [CDVPluginResult resultWithStatus:CDVCommandStatus_OK messageAsNSInteger:[value integerValue]];
}

- (void)call:(CDVInvokedUrlCommand *)command {
  NSString *action = command.arguments[0];
  NSArray *values = command.arguments[1];
  [self.commandDelegate runInBackground:^{
    TouchmarkCall(action, values, ^(id value, NSError *error) {
      CDVPluginResult *result =
          error == nil ? result_of(value)
                       : [CDVPluginResult resultWithStatus:CDVCommandStatus_ERROR
                                       messageAsDictionary:@{
                                         @"code" : @(error.code),
                                         @"message" : error.localizedDescription,
                                       }];
      [self.commandDelegate sendPluginResult:result callbackId:command.callbackId];
    });
  }];
}

@end
