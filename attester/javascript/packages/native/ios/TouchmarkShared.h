// What the native parts of React Native, Cordova and Capacitor share. All functions may be called
// on any thread.
#import <Foundation/Foundation.h>

@class TMToken, TMTouchmark;

NS_ASSUME_NONNULL_BEGIN

// Opens the SDK, or takes the instance that is open. An empty configuration: that of the app's
// bundle.
TMTouchmark* _Nullable TouchmarkOpen(NSString* config, NSError* _Nullable* _Nullable error);
// The instance that is open; nil before.
TMTouchmark* _Nullable TouchmarkInstance(void);
// What the packages' JavaScript takes for a token.
NSDictionary<NSString*, id>* TouchmarkResult(TMToken* token);
// Answers a session's challenge, as the instance that is open does; before, the platform judges.
void TouchmarkAnswerChallenge(NSURLAuthenticationChallenge* challenge,
                              void (^answer)(NSURLSessionAuthChallengeDisposition,
                                             NSURLCredential* _Nullable));

NS_ASSUME_NONNULL_END
