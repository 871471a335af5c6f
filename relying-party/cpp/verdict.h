// What the check of a request finds (protocol/token-check.md): one reason out of a fixed list, each
// with its status.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace touchmark::relying {

enum class Status : std::uint8_t {
  kUnchecked,
  kPreflight,
  kMissing,
  kMalformed,
  kForged,
  kUnavailable,
  kInvalid,
  kExpired,
  kEarly,
  kMisdirected,
  kWeak,
  kUnbound,
  kReplayed,
  kValid,
};

// In the order in which the checks are made.
enum class Reason : std::uint8_t {
  kOff,
  kPreflight,
  kNoToken,
  kTwoTokens,
  kWrongPrefix,
  kTooLong,
  kNotCompact,
  kBadHeader,
  kUnknownExtension,
  kBadKid,
  kBadPayload,
  kWrongAlgorithm,
  kNoKeys,
  kUnknownKey,
  kDecoy,
  kBadSignature,
  kNoExp,
  kExpired,
  kBadNbf,
  kNotYetValid,
  kWrongIssuer,
  kWrongAudience,
  kLowLevel,
  kNoBoundHeader,
  kWrongPay,
  kNoJti,
  kNoReplayStore,
  kReplayed,
  kOk,
};
inline constexpr std::size_t kReasons = 29;

// Whose token it is.
enum class Maker : std::uint8_t { kTouchmark, kApproov, kFirebase };
inline constexpr std::size_t kMakers = 3;

// How sure the service is of a device, each more than the one before.
enum class Level : std::uint8_t { kSoftware, kPlatform, kTee, kSecureChip };

Status status_of(Reason reason);
// "bad-signature", "malformed", "touchmark", "secure-chip".
std::string_view to_string(Reason reason);
std::string_view to_string(Status status);
std::string_view to_string(Maker maker);
std::string_view to_string(Level level);
std::optional<Level> level_named(std::string_view text);

}  // namespace touchmark::relying
