#include "verifier/policy/version.h"

#include <charconv>

#include "base/text.h"

namespace touchmark::verifier::policy {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::uint64_t kMaxNumber = 999'999'999'999'999'999;
constexpr unsigned kMaxAgeDays = 36500;

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<sys_days> to_date(std::uint64_t y, std::uint64_t m, std::uint64_t d) {
  const year_month_day date(year(static_cast<int>(y)), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d)));
  if (y < 2000 || y > 2999 || !date.ok()) return std::nullopt;
  return sys_days(date);
}

// "2024-06" or "2024-06-05".
std::optional<sys_days> parse_date(std::string_view text) {
  if (text.size() != 7 && text.size() != 10) return std::nullopt;
  if (text[4] != '-' || (text.size() == 10 && text[7] != '-')) return std::nullopt;
  const auto y = parse_number(text.substr(0, 4), 9999);
  const auto m = parse_number(text.substr(5, 2), 99);
  const auto d = text.size() == 10 ? parse_number(text.substr(8, 2), 99) : std::uint64_t{1};
  if (!y || !m || !d) return std::nullopt;
  return to_date(*y, *m, *d);
}

std::optional<sys_days> level_date(std::uint32_t level) {
  if (level < 1'000'000) return to_date(level / 100, level % 100, 1);
  // Some phones write day 0 for "no day".
  return to_date(level / 10000, level / 100 % 100, std::max<std::uint32_t>(level % 100, 1));
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  for (std::size_t i = 0; i < version.numbers.size(); ++i) {
    const std::size_t dot = text.find('.');
    const auto number = parse_number(text.substr(0, dot), kMaxNumber);
    if (!number) return std::nullopt;
    version.numbers[i] = *number;
    if (dot == std::string_view::npos) return version;
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

std::string to_string(const Version& version) {
  std::size_t count = version.numbers.size();
  while (count > 1 && version.numbers[count - 1] == 0) --count;
  std::string out = std::to_string(version.numbers[0]);
  for (std::size_t i = 1; i < count; ++i) out += "." + std::to_string(version.numbers[i]);
  return out;
}

Version android_version(std::uint32_t attested) {
  return {{attested / 10000, attested / 100 % 100, attested % 100, 0}};
}

std::optional<std::vector<Comparison>> parse_comparisons(std::string_view text) {
  struct Spelling {
    std::string_view text;
    Operator op;
  };
  // The longer spellings first, so that "<=" is not taken for "<".
  static constexpr Spelling kSpellings[] = {{"<=", Operator::kLessEqual},
                                            {">=", Operator::kGreaterEqual},
                                            {"<", Operator::kLess},
                                            {">", Operator::kGreater},
                                            {"=", Operator::kEqual}};
  std::vector<Comparison> out;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view one = trim(text.substr(0, comma));
    Comparison comparison;
    for (const Spelling& spelling : kSpellings) {
      if (!one.starts_with(spelling.text)) continue;
      comparison.op = spelling.op;
      one = trim(one.substr(spelling.text.size()));
      break;
    }
    const auto operand = parse_version(one);
    if (!operand) return std::nullopt;
    comparison.operand = *operand;
    out.push_back(comparison);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

bool holds(const Comparison& comparison, const Version& value) {
  const auto order = value <=> comparison.operand;
  switch (comparison.op) {
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kEqual:
      return order == 0;
    case Operator::kGreaterEqual:
      return order >= 0;
    case Operator::kGreater:
      return order > 0;
  }
  return false;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  // Where the last star stood, and how much of the text it has taken: on a mismatch it takes one
  // byte more.
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<PatchLimit> parse_patch_limit(std::string_view text) {
  PatchLimit limit;
  if (text.ends_with('d')) {
    const auto age = parse_number(text.substr(0, text.size() - 1), kMaxAgeDays);
    if (!age || *age == 0) return std::nullopt;
    limit.max_age = days(static_cast<int>(*age));
    return limit;
  }
  limit.earliest = parse_date(text);
  return limit.earliest ? std::optional(limit) : std::nullopt;
}

std::string to_string(const PatchLimit& limit) {
  if (limit.max_age) return "at most " + std::to_string(limit.max_age->count()) + " days old";
  return limit.earliest ? format_time(UnixTime(*limit.earliest)).substr(0, 10) + " or later"
                        : "any";
}

bool meets(const PatchLimit& limit, std::uint32_t level, UnixTime now) {
  const auto date = level_date(level);
  if (!date) return false;
  if (limit.earliest && *date < *limit.earliest) return false;
  return !limit.max_age || *date + *limit.max_age >= std::chrono::floor<days>(now);
}

}  // namespace touchmark::verifier::policy
