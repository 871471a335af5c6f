#import <Cordova/CDVPlugin.h>

// Cordova's part: takes calls off the main thread, and answers them.
@interface TouchmarkPlugin : CDVPlugin
- (void)call:(CDVInvokedUrlCommand*)command;
@end
