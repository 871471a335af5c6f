// The binding on GNUstep: `vectors FOLDER` holds it to the golden vectors, `fetch CONFIG URL` has it
// attest to a service and prints its tokens.
#import "Touchmark.h"
#import "platform.h"

#include <objc/thr.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <unistd.h>

#import "attester/ios/src/TMAppAttest.h"
#include "attester/include/touchmark.h"

@interface TMToken (Made)
- (instancetype)initWithResult:(const touchmark_result *)result;
@end

static int checks;
static int faults;

static void check(BOOL holds, NSString *what) {
  ++checks;
  if (holds) return;
  ++faults;
  printf("fault: %s\n", [what UTF8String]);
}

static void check_equal(id seen, id wanted, NSString *what) {
  check([seen isEqual:wanted],
        [NSString stringWithFormat:@"%@: %@ in place of %@", what, seen, wanted]);
}

static NSData *sha256(NSData *data) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256([data bytes], [data length], digest);
  return [NSData dataWithBytes:digest length:sizeof digest];
}

static NSData *from_base64(NSString *text) {
  NSMutableString *padded = [[text mutableCopy] autorelease];
  [padded replaceOccurrencesOfString:@"-" withString:@"+" options:0 range:NSMakeRange(0, [padded length])];
  [padded replaceOccurrencesOfString:@"_" withString:@"/" options:0 range:NSMakeRange(0, [padded length])];
  while ([padded length] % 4 != 0) [padded appendString:@"="];
  return [[[NSData alloc] initWithBase64EncodedString:padded options:0] autorelease];
}

static NSDictionary *vector(NSString *folder, NSString *name) {
  NSData *text = [NSData dataWithContentsOfFile:[folder stringByAppendingPathComponent:name]];
  NSDictionary *read = text == nil ? nil
                                   : [NSJSONSerialization JSONObjectWithData:text
                                                                     options:0
                                                                       error:NULL];
  check([read isKindOfClass:[NSDictionary class]], [@"reads " stringByAppendingString:name]);
  return read;
}

// --- config.json ---------------------------------------------------------------------------------

static TMTouchmark *check_configuration(NSString *folder) {
  NSDictionary *golden = vector(folder, @"config.json");
  NSDictionary *payload = [golden objectForKey:@"payload"];
  NSError *error = nil;
  TMTouchmark *touchmark = [[TMTouchmark alloc] initWithConfig:[golden objectForKey:@"jws"] error:&error];
  check(touchmark != nil, [NSString stringWithFormat:@"opens config.json: %@", error]);
  check_equal(@(touchmark.configVersion), [payload objectForKey:@"version"], @"the configuration's version");
  for (NSDictionary *api in [payload objectForKey:@"api"]) {
    NSString *domain = [api objectForKey:@"domain"];
    check([touchmark isProtectedHost:domain], [domain stringByAppendingString:@" is protected"]);
    // A chain of no certificate that anybody pinned.
    struct SecTrust sound = {YES, @[]}, unsound = {NO, @[]};
    const BOOL unpinned = [[api objectForKey:@"pins"] count] == 0;
    check([touchmark allowsTrust:&sound forHost:domain] == unpinned,
          [domain stringByAppendingString:@": pins decide"]);
    check(![touchmark allowsTrust:&unsound forHost:domain],
          [domain stringByAppendingString:@": the platform's verdict comes first"]);
  }
  check(![touchmark isProtectedHost:@"other.example.com"], @"another host is not protected");
  check_equal(touchmark.deviceID, @"", @"the device id before the first token");

  NSMutableString *changed = [[golden objectForKey:@"jws"] mutableCopy];
  const NSRange last = NSMakeRange([changed length] - 4, 1);
  [changed replaceCharactersInRange:last
                         withString:[[changed substringWithRange:last] isEqual:@"A"] ? @"B" : @"A"];
  check([[TMTouchmark alloc] initWithConfig:changed error:&error] == nil, @"a forged configuration");
  check_equal(error.domain, TMErrorDomain, @"the error's domain");
  check_equal(@(error.code), @(TOUCHMARK_BAD_CONFIG), @"the error's code");
  check([error.localizedDescription length] > 0, @"the error's text");
  return touchmark;
}

// --- token.json ----------------------------------------------------------------------------------

static void check_token(NSString *folder, NSDictionary *config) {
  NSDictionary *golden = vector(folder, @"token.json");
  NSDictionary *sent = [[config objectForKey:@"payload"] objectForKey:@"token"];
  touchmark_result result = {0};
  result.token = (char *)[[golden objectForKey:@"bound"] UTF8String];
  result.header = (char *)[[sent objectForKey:@"header"] UTF8String];
  result.prefix = "Bearer ";
  result.expires_in = 300;
  TMToken *token = [[TMToken alloc] initWithResult:&result];
  check_equal(token.token, [golden objectForKey:@"bound"], @"the token");
  check_equal(token.headerName, [sent objectForKey:@"header"], @"the header's name");
  check_equal(token.headerValue, [@"Bearer " stringByAppendingString:[golden objectForKey:@"bound"]],
              @"the header's value");
  check_equal(token.arc, @"", @"no ARC");
  check_equal(@(token.expiresIn), @300, @"the lifetime");
  NSDictionary *claims = [NSJSONSerialization
      JSONObjectWithData:from_base64([[token.token componentsSeparatedByString:@"."] objectAtIndex:1])
                 options:0
                   error:NULL];
  NSDictionary *pay = [golden objectForKey:@"pay"];
  NSString *bound = [sha256([[pay objectForKey:@"value"] dataUsingEncoding:NSUTF8StringEncoding])
      base64EncodedStringWithOptions:0];
  check_equal(bound, [pay objectForKey:@"pay"], @"the digest of the bound value");
  check_equal([claims objectForKey:@"pay"], bound, @"the claim pay");
}

// --- hardware-binding.json -----------------------------------------------------------------------

static void check_app_attest(NSString *folder) {
  NSDictionary *golden = vector(folder, @"hardware-binding.json");
  NSMutableData *input =
      [[@"touchmark app-attest v1" dataUsingEncoding:NSUTF8StringEncoding] mutableCopy];
  [input appendData:from_base64([golden objectForKey:@"nonce"])];
  [input appendData:from_base64([golden objectForKey:@"installation_key_spki"])];
  NSData *hash = sha256(input);
  check_equal([hash base64EncodedStringWithOptions:0], [golden objectForKey:@"app_attest_client_data_hash"],
              @"the client data hash");

  NSMutableArray *calls = app_attest_calls();
  TMAppAttest *own = [[TMAppAttest alloc]
      initWithAccount:[NSString stringWithFormat:@"test-%d", (int)getpid()]];
  [own forget];
  NSDictionary *first = [own evidenceForClientDataHash:hash nonce:[golden objectForKey:@"nonce"]];
  check_equal([first objectForKey:@"nonce"], [golden objectForKey:@"nonce"], @"the nonce that the attestation is over");
  check([first objectForKey:@"assertion"] == nil && [first objectForKey:@"attestation"] != nil, @"attested first");
  check_equal([calls objectAtIndex:1], (@[ @"attest", hash ]), @"App Attest was asked over the very hash");
  NSDictionary *second = [own evidenceForClientDataHash:hash nonce:@"a later nonce"];
  check([second objectForKey:@"assertion"] != nil, @"asserted then");
  check_equal([second objectForKey:@"attestation"], [first objectForKey:@"attestation"], @"the attestation is kept");
  check_equal([second objectForKey:@"nonce"], [golden objectForKey:@"nonce"], @"and the nonce that it was made for");
  check_equal([calls lastObject], (@[ @"assert", hash ]), @"one assertion over the hash");

  app_attest_failure = 2;  // Apple's server cannot be had
  check([own evidenceForClientDataHash:hash nonce:@"n"] == nil, @"no evidence without Apple");
  check_equal([[own evidenceForClientDataHash:hash nonce:@"n"] objectForKey:@"key_id"], [first objectForKey:@"key_id"],
              @"the key is kept");
  app_attest_failure = 3;  // the key is not known any more
  NSDictionary *anew = [own evidenceForClientDataHash:hash nonce:@"newest"];
  check(anew != nil && ![[anew objectForKey:@"key_id"] isEqual:[first objectForKey:@"key_id"]], @"an invalid key is replaced");
  check_equal([anew objectForKey:@"nonce"], @"newest", @"and attested over the present challenge");
  [own forget];
}

// --- URLs ----------------------------------------------------------------------------------------

static void check_urls(TMTouchmark *touchmark) {
  NSURL *api = [NSURL URLWithString:@"https://api.example.com/a"];
  check([TMTouchmark isURL:api ofSameHostAs:[NSURL URLWithString:@"https://API.example.com:443/b"]],
        @"one host and port");
  for (NSString *other in @[ @"https://api.example.com:8443/", @"http://api.example.com/",
                             @"https://api.example.org/" ]) {
    check(![TMTouchmark isURL:api ofSameHostAs:[NSURL URLWithString:other]], other);
  }
  __block NSError *refusal = nil;
  [touchmark fetchTokenForURL:[NSURL URLWithString:@"https://api.example.com/"]
                      binding:[NSString stringWithFormat:@"a%Cb", (unichar)0]
                   completion:^(TMToken *token, NSError *error) {
                     check(token == nil, @"a bound value with a NUL gets no token");
                     refusal = [error retain];
                   }];
  check_equal(@(refusal.code), @(TOUCHMARK_INVALID_ARGUMENT), @"a bound value with a NUL");
}

static int print_token(NSString *config, NSString *url) {
  NSError *error = nil;
  NSString *text = [NSString stringWithContentsOfFile:config
                                             encoding:NSUTF8StringEncoding
                                                error:&error];
  TMTouchmark *touchmark = [[TMTouchmark alloc] initWithConfig:text error:&error];
  if (touchmark == nil) {
    printf("cannot open: %s\n", [error.localizedDescription UTF8String]);
    return 1;
  }
  for (int i = 0; i < 2; ++i) {  // attested, then asserted
    dispatch_semaphore_t answered = dispatch_semaphore_create(0);
    __block int failed = 0;
    [touchmark fetchTokenForURL:[NSURL URLWithString:url]
                        binding:@"user@example.com"
                     completion:^(TMToken *token, NSError *problem) {
                       failed = token == nil;
                       printf("%s\n", token == nil ? [problem.localizedDescription UTF8String]
                                                   : [token.token UTF8String]);
                       dispatch_semaphore_signal(answered);
                     }];
    dispatch_semaphore_wait(answered, dispatch_time(DISPATCH_TIME_NOW, 60 * (int64_t)NSEC_PER_SEC));
    if (failed) return 1;
    [touchmark discardTokens];
  }
  printf("%s\n", [touchmark.deviceID UTF8String]);
  return 0;
}

int main(int count, char **arguments) {
  NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
  (void)pool;  // kept to the end: apple.h
  objc_thread_add();  // the core's threads come: from now on the runtime has locks
  if (count == 4 && strcmp(arguments[1], "fetch") == 0) {
    return print_token(@(arguments[2]), @(arguments[3]));
  }
  if (count != 3 || strcmp(arguments[1], "vectors") != 0) {
    fprintf(stderr, "usage: %s vectors FOLDER | fetch CONFIG URL\n", arguments[0]);
    return 2;
  }
  NSString *folder = @(arguments[2]);
  check_equal([TMTouchmark version], @(touchmark_version()), @"the version");
  TMTouchmark *touchmark = check_configuration(folder);
  check_token(folder, vector(folder, @"config.json"));
  check_app_attest(folder);
  check_urls(touchmark);
  printf("%d checks, %d faults\n", checks, faults);
  return faults == 0 ? 0 : 1;
}
