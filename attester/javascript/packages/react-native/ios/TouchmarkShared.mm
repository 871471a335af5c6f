#import "TouchmarkShared.h"

#import <Touchmark/Touchmark.h>

// Of touchmark.h: TOUCHMARK_BAD_CONFIG.
static const NSInteger kBadConfig = 2;

static TMTouchmark *instance;
static NSSet<NSString *> *headers;

TMTouchmark *TouchmarkOpen(NSString *config, NSError **error) {
  @synchronized(TMTouchmark.class) {
    if (instance != nil) return instance;
    NSString *text = config;
    if (text.length == 0) {
      NSURL *file = [NSBundle.mainBundle URLForResource:@"touchmark-initial" withExtension:@"config"];
      text = file == nil ? nil
                         : [NSString stringWithContentsOfURL:file
                                                    encoding:NSUTF8StringEncoding
                                                       error:error];
      if (text == nil) {
        if (error != NULL) {
          NSString *message = @"the app's bundle has no touchmark-initial.config that can be read";
          *error = [NSError errorWithDomain:TMErrorDomain
                                       code:kBadConfig
                                   userInfo:@{NSLocalizedDescriptionKey : message}];
        }
        return nil;
      }
    }
    NSCharacterSet *space = NSCharacterSet.whitespaceAndNewlineCharacterSet;
    instance = [[TMTouchmark alloc] initWithConfig:[text stringByTrimmingCharactersInSet:space]
                                             error:error];
    return instance;
  }
}

TMTouchmark *TouchmarkInstance(void) {
  @synchronized(TMTouchmark.class) {
    return instance;
  }
}

void TouchmarkNoteHeader(NSString *name) {
  @synchronized(TMTouchmark.class) {
    if ([headers containsObject:name]) return;
    headers = [(headers == nil ? [NSSet set] : headers) setByAddingObject:name];
  }
}

NSSet<NSString *> *TouchmarkHeaders(void) {
  @synchronized(TMTouchmark.class) {
    return headers == nil ? [NSSet set] : headers;
  }
}
