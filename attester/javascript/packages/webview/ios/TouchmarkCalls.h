// What a web view's script asks of the SDK for iOS: converts, and judges nothing.
#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

// `answer` is called once, on any thread: with a value that JSON knows or nil, or with an error
// whose code is a status.
void TouchmarkCall(NSString* action, NSArray* values,
                   void (^answer)(id _Nullable value, NSError* _Nullable error));

NS_ASSUME_NONNULL_END
