#if __has_include(<Capacitor/Capacitor.h>)
#import <Capacitor/Capacitor.h>
#else
@import Capacitor;
#endif

// Capacitor's part: takes calls, and answers them.
@interface TouchmarkPlugin : CAPPlugin <CAPBridgedPlugin>
- (void)call:(CAPPluginCall*)call;
@end
