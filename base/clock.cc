#include "base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

namespace touchmark {
namespace {

constexpr std::int64_t kMaxDuration = 36600LL * 24 * 3600;
constexpr std::int64_t kMaxTime = 253402300799;  // 9999-12-31T23:59:59Z

// The whole of `text` as a decimal number without a sign, or nullopt.
std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Of a duration: "10.5h" is {10, "5", 3600}.
struct DurationPart {
  std::string_view whole;
  std::string_view fraction;
  std::int64_t unit = 1;  // seconds
};

std::int64_t unit_of(char letter) {
  switch (letter) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 24 * 3600;
    case 'w':
      return 7 * 24 * 3600;
    default:
      return 0;
  }
}

// Takes one part off the front of `text`; nullopt where there is none. `alone`: it is all of the
// duration, and may then be a bare number of seconds.
std::optional<DurationPart> next_part(std::string_view& text, bool alone) {
  constexpr std::string_view kDigits = "0123456789";
  DurationPart out;
  std::size_t end = std::min(text.find_first_not_of(kDigits), text.size());
  out.whole = text.substr(0, end);
  if (out.whole.empty()) return std::nullopt;
  if (end == text.size()) {
    text = {};
    return alone ? std::optional(out) : std::nullopt;
  }
  if (text[end] == '.') {
    const std::size_t begin = end + 1;
    end = std::min(text.find_first_not_of(kDigits, begin), text.size());
    out.fraction = text.substr(begin, end - begin);
    if (out.fraction.empty() || end == text.size()) return std::nullopt;
  }
  out.unit = unit_of(text[end]);
  text.remove_prefix(end + 1);
  return out.unit == 0 ? std::nullopt : std::optional(out);
}

struct Span {
  std::int64_t seconds = 0;
  std::int64_t rest = 0;  // not zero: there is a fraction of a second beside them
};

// nullopt for more than any duration may have.
std::optional<Span> span_of(const DurationPart& part) {
  std::string_view whole = part.whole;
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  const auto count = whole.empty() ? std::optional<std::int64_t>(0) : parse_number(whole);
  if (!count || *count > kMaxDuration / part.unit) return std::nullopt;
  Span out{*count * part.unit, 0};
  // Long division: each digit of the fraction is a tenth of the place before it.
  std::int64_t scale = 1;
  std::int64_t digits = 0;
  constexpr std::int64_t kMaxScale = 1'000'000'000;
  std::string_view fraction = part.fraction;
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  for (const char digit : fraction) {
    if (scale == kMaxScale) return Span{out.seconds, 1};
    scale *= 10;
    digits = digits * 10 + (digit - '0');
  }
  out.seconds += digits * part.unit / scale;
  out.rest = digits * part.unit % scale;
  return out;
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
  // Not the standard library's clock, which was compiled with a time_t of its own.
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return from_unix(seconds_since_1970(now.tv_sec));
}

std::string_view error_id(TimeError error) {
  using enum TimeError;
  static constexpr auto kIds = error_table<TimeError>({
      {kBadDuration, "time.bad-duration"},
      {kBadTime, "time.bad-time"},
      {kDurationRange, "time.duration-range"},
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
  const std::string shown = "\"" + std::string(text.substr(0, 40)) + "\"";
  const auto not_one = [&] { return fail(TimeError::kBadDuration, shown + " is not a duration"); };
  const auto out_of_range = [&] {
    return fail(TimeError::kDurationRange,
                shown + " is out of range: a duration is 1s to 36600d (100 years)");
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  if (rest.empty()) return not_one();
  bool too_long = false;
  Span total;
  while (!rest.empty()) {
    const auto part = next_part(rest, rest.size() == text.size());
    if (!part) return not_one();
    const auto span = span_of(*part);
    if (span && span->rest != 0) {
      return fail(TimeError::kBadDuration, shown + " is not a whole number of seconds");
    }
    too_long = too_long || !span || span->seconds > kMaxDuration - total.seconds;
    if (!too_long) total.seconds += span->seconds;
  }
  if (negative || too_long || total.seconds == 0) return out_of_range();
  return Seconds(total.seconds);
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
