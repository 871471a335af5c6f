// React Native's handler of HTTP requests, whose connections meet the pins, and whose redirects
// take no token to another host. WebSockets have another handler, which knows no pins.
#import <React/RCTHTTPRequestHandler.h>

@interface TouchmarkRequestHandler : RCTHTTPRequestHandler
@end
