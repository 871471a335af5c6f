// As much of Foundation as the parts of JavaScript's packages use, beside attester/ios/test/stubs.
#pragma once

#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

@interface NSString (ReactNative)
@property(readonly) NSUInteger length;
@end

@interface NSString (WebView)
@property(readonly) NSString* lowercaseString;
@property(readonly) double doubleValue;
@end

@interface NSData (WebView)
- (nullable instancetype)initWithBase64EncodedString:(NSString*)text options:(NSUInteger)options;
@end

@interface NSArray <T>(WebView)
+ (instancetype)arrayWithObjects:(const T _Nonnull[_Nullable])objects count:(NSUInteger)count;
@end
@interface NSMutableArray<T> : NSArray <T>
+ (instancetype)array;
- (void)addObject:(T)object;
@end

@interface NSDictionary <K, V>(WebView)
- (NSUInteger)countByEnumeratingWithState:(struct FastEnumeration*)state
                                  objects:(id __unsafe_unretained _Nullable[_Nonnull])buffer
                                    count:(NSUInteger)count;
@end

@interface NSError (ReactNative)
@property(readonly) NSString* localizedDescription;
@end

@interface NSNumber (ReactNative)
+ (NSNumber*)numberWithLongLong:(long long)value;
+ (NSNumber*)numberWithLong:(long)value;
+ (NSNumber*)numberWithInteger:(NSInteger)value;
@property(readonly) NSInteger integerValue;
@end

@interface NSObject (ReactNative)
+ (Class)class;
- (BOOL)isKindOfClass:(Class)wanted;
@end

@interface NSURL (ReactNative)
+ (nullable instancetype)URLWithString:(NSString*)text;
@end

@interface NSURLResponse : NSObject
@end
@interface NSHTTPURLResponse : NSURLResponse
@property(readonly) NSInteger statusCode;
@property(readonly) NSDictionary* allHeaderFields;
@end
@interface NSURLSession : NSObject
@end
@interface NSURLSessionDataTask : NSURLSessionTask
- (void)resume;
@end
@interface NSOperationQueue : NSObject
@end
@interface NSURLSessionConfiguration : NSObject
@property(class, readonly) NSURLSessionConfiguration* ephemeralSessionConfiguration;
@end
@interface NSURLSession (ReactNative)
+ (NSURLSession*)sessionWithConfiguration:(NSURLSessionConfiguration*)how
                                 delegate:(nullable id)delegate
                            delegateQueue:(nullable NSOperationQueue*)queue;
- (NSURLSessionDataTask*)dataTaskWithRequest:(NSURLRequest*)request
                           completionHandler:(void (^)(NSData* _Nullable content,
                                                       NSURLResponse* _Nullable response,
                                                       NSError* _Nullable error))done;
@end
@protocol NSURLSessionTaskDelegate
@optional
- (void)URLSession:(NSURLSession*)session
                          task:(NSURLSessionTask*)task
    willPerformHTTPRedirection:(NSHTTPURLResponse*)response
                    newRequest:(NSURLRequest*)request
             completionHandler:(void (^)(NSURLRequest* _Nullable))completionHandler;
@end

NS_ASSUME_NONNULL_END
