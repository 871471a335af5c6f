// The SDK for iOS as a native module of React Native: converts, and judges nothing.
#import <React/RCTBridgeModule.h>

#ifdef RCT_NEW_ARCH_ENABLED
#import <TouchmarkSpec/TouchmarkSpec.h>
@interface TouchmarkModule : NSObject <NativeTouchmarkSpec>
#else
@interface TouchmarkModule : NSObject <RCTBridgeModule>
#endif
@end
