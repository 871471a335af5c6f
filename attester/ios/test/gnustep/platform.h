// The test's hold on what platform.m plays.
#pragma once

#import "apple.h"

// A chain that the platform has evaluated.
struct SecTrust {
  BOOL sound;
  NSArray* chain;  // of NSData, DER
};

// What App Attest was asked so far: arrays of the call's name and, where it has one, its hash.
NSMutableArray* app_attest_calls(void);
// The code of the error that the next call ends with, once; 0 for none.
extern NSInteger app_attest_failure;
