// Where CocoaPods puts the header of the SDK for iOS.
#import "attester/ios/include/Touchmark.h"
