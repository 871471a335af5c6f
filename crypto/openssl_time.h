// Times of certificates, as OpenSSL keeps them. Not by way of time_t: where that has 32 bits it
// ends in 2038, and OpenSSL's library may have been compiled with another width than its caller.
// For .cc files only.
#pragma once

#include <openssl/asn1.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

#include "base/clock.h"
#include "crypto/openssl.h"

namespace touchmark::openssl {

// nullopt where it is no time.
inline std::optional<UnixTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(parts.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(parts.tm_mon) + 1),
      std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  return std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

// In the form that RFC 5280 asks for in that year (4.1.2.5).
inline void set_time(ASN1_TIME* out, UnixTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  require(ASN1_TIME_set_string_X509(out, text.data()) == 1, "certificate times");
}

}  // namespace touchmark::openssl
