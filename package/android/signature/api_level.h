// API levels at which the rules for signatures change, and the range a verdict is asked for.
#pragma once

#include <cstdint>

namespace touchmark::package::signature {

inline constexpr std::int64_t kGingerbread = 9;
inline constexpr std::int64_t kHoneycomb = 11;
inline constexpr std::int64_t kJellyBeanMr2 = 18;
inline constexpr std::int64_t kKitKat = 19;
inline constexpr std::int64_t kLollipop = 21;
inline constexpr std::int64_t kMarshmallow = 23;
inline constexpr std::int64_t kNougat = 24;     // APK Signature Scheme v2
inline constexpr std::int64_t kOreo = 26;       // sandbox version 2
inline constexpr std::int64_t kPie = 28;        // v3
inline constexpr std::int64_t kAndroid11 = 30;  // v2 required of apps that target it
inline constexpr std::int64_t kTiramisu = 33;   // v3.1
inline constexpr std::int64_t kNewest = INT32_MAX;

// Inclusive. Signed and wide, since the levels in a v3 block are signed 32-bit numbers and one is
// added to or taken from them.
struct SdkRange {
  std::int64_t min = 1;
  std::int64_t max = kNewest;
};

}  // namespace touchmark::package::signature
