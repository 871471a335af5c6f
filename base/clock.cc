#include "base/clock.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

namespace touchmark {
namespace {

constexpr std::int64_t kMaxDuration = 100LL * 366 * 24 * 3600;
constexpr std::int64_t kMaxTime = 253402300799;  // 9999-12-31T23:59:59Z

// The whole of `text` as a decimal number without a sign, or nullopt.
std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<UnixTime> parse_date(std::string_view text) {
  // YYYY-MM-DD
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto year = parse_number(text.substr(0, 4));
  auto month = parse_number(text.substr(5, 2));
  auto day = parse_number(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<Seconds> parse_time_of_day(std::string_view text) {
  // HH:MM:SSZ, with a fraction before the Z that is dropped.
  if (text.size() < 9 || text[2] != ':' || text[5] != ':' || text.back() != 'Z')
    return std::nullopt;
  const std::string_view fraction = text.substr(8, text.size() - 9);
  if (!fraction.empty() &&
      (fraction[0] != '.' || !parse_number(fraction.substr(1).substr(0, 18)))) {
    return std::nullopt;
  }
  auto hour = parse_number(text.substr(0, 2));
  auto minute = parse_number(text.substr(3, 2));
  auto second = parse_number(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  return Seconds(*hour * 3600 + *minute * 60 + *second);
}

}  // namespace

UnixTime SystemClock::now() const {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

std::string_view error_id(TimeError error) {
  using enum TimeError;
  static constexpr auto kIds = error_table<TimeError>({
      {kBadDuration, "time.bad-duration"},
      {kBadTime, "time.bad-time"},
  });
  return kIds[error];
}

std::string format_time(UnixTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> out{};
  int length = std::snprintf(
      out.data(), out.size(), "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return std::string(out.data(), static_cast<std::size_t>(length));
}

Result<Seconds> parse_duration(std::string_view text) {
  std::string_view digits = text;
  std::int64_t unit = 1;
  if (!digits.empty()) {
    switch (digits.back()) {
      case 's':
        unit = 1;
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = 24 * 3600;
        break;
      default:
        unit = 0;
    }
    if (unit != 0) {
      digits.remove_suffix(1);
    } else {
      unit = 1;
    }
  }
  auto count = parse_number(digits);
  if (!count || *count <= 0 || *count > kMaxDuration / unit) {
    return fail(TimeError::kBadDuration, "\"" + std::string(text.substr(0, 40)) +
                                             "\" is not a duration such as 600s, 10m, 12h or 30d");
  }
  return Seconds(*count * unit);
}

Result<UnixTime> parse_time(std::string_view text) {
  if (auto seconds = parse_number(text); seconds && *seconds <= kMaxTime) {
    return from_unix(*seconds);
  }
  if (auto date = parse_date(text.substr(0, 10))) {
    if (text.size() == 10) return *date;
    auto time = parse_time_of_day(text.substr(11));
    if (text[10] == 'T' && time) return *date + *time;
  }
  return fail(TimeError::kBadTime,
              "\"" + std::string(text.substr(0, 40)) +
                  "\" is not a time such as 2024-10-20, 2024-10-20T12:00:00Z or unix seconds");
}

}  // namespace touchmark
