// What the native module and the request handler share. All functions may be called on any thread.
#import <Foundation/Foundation.h>

@class TMTouchmark;

NS_ASSUME_NONNULL_BEGIN

// Opens the SDK, or takes the instance that is open. An empty configuration: that of the app's bundle.
TMTouchmark* _Nullable TouchmarkOpen(NSString* config, NSError* _Nullable* _Nullable error);
// The instance that is open; nil before.
TMTouchmark* _Nullable TouchmarkInstance(void);
// The headers that tokens were given out for.
void TouchmarkNoteHeader(NSString* name);
NSSet<NSString*>* TouchmarkHeaders(void);

NS_ASSUME_NONNULL_END
