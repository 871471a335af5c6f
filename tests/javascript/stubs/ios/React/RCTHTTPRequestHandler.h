#pragma once

#import "foundation.h"

@protocol RCTURLRequestHandler
@end

@interface RCTHTTPRequestHandler : NSObject <RCTURLRequestHandler>
@end
