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
// The headers that tokens were given out for.
void TouchmarkNoteHeader(NSString* name);
NSSet<NSString*>* TouchmarkHeaders(void);
// What the packages' JavaScript takes for a token.
NSDictionary<NSString*, id>* TouchmarkResult(TMToken* token);
// Answers a session's challenge: a server that meets none of the pins is refused, and all else is
// for the platform to judge.
void TouchmarkAnswerChallenge(NSURLAuthenticationChallenge* challenge,
                              void (^answer)(NSURLSessionAuthChallengeDisposition,
                                             NSURLCredential* _Nullable));

NS_ASSUME_NONNULL_END
