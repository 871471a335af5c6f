// Time comes in through this interface, so that every test can set it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace touchmark {

using Seconds = std::chrono::seconds;
using UnixTime = std::chrono::sys_seconds;

// Of a time_t. One of 32 bits, which Android's 32-bit processes have, is negative from 2038 to
// 2106; no clock is set to a time before 1970.
template <class Time>
constexpr std::int64_t seconds_since_1970(Time seconds) {
  if constexpr (sizeof(Time) == sizeof(std::uint32_t)) return static_cast<std::uint32_t>(seconds);
  return static_cast<std::int64_t>(seconds);
}

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixTime now() const override;
};

inline std::int64_t to_unix(UnixTime time) { return time.time_since_epoch().count(); }
inline UnixTime from_unix(std::int64_t seconds) { return UnixTime(Seconds(seconds)); }

enum class TimeError { kBadDuration, kBadTime, kDurationRange };
std::string_view error_id(TimeError error);

// "2019-09-13 17:48:21" in UTC.
std::string format_time(UnixTime time);
// "600s", "4h30m", "10.5h", "1w": numbers with s, m, h, d or w, added up. A bare number is seconds.
// A whole number of them, from 1 second to 36600 days (kDurationRange).
Result<Seconds> parse_duration(std::string_view text);
// "2024-10-20", "2024-10-20T12:00:00Z" (a fraction of a second is dropped) or unix seconds.
Result<UnixTime> parse_time(std::string_view text);

// The end of the year 9999: no time that anybody means lies beyond.
inline constexpr std::int64_t kMaxUnixTime = 253402300799;

}  // namespace touchmark
