// As Foundation.h beside it, of the DeviceCheck framework.
#pragma once

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

enum { DCErrorInvalidKey = 3 };

@interface DCAppAttestService : NSObject
@property(class, readonly) DCAppAttestService* sharedService;
@property(readonly) BOOL isSupported;
- (void)generateKeyWithCompletionHandler:(void (^)(NSString* _Nullable keyID,
                                                   NSError* _Nullable error))completion;
- (void)attestKey:(NSString*)keyID
       clientDataHash:(NSData*)hash
    completionHandler:(void (^)(NSData* _Nullable object, NSError* _Nullable error))completion;
- (void)generateAssertion:(NSString*)keyID
           clientDataHash:(NSData*)hash
        completionHandler:(void (^)(NSData* _Nullable object, NSError* _Nullable error))completion;
@end

NS_ASSUME_NONNULL_END
