// Values that a policy compares: dotted versions, patch levels, names with wildcards.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace touchmark::verifier::policy {

// "14", "8.1.0", "16.4.1": up to four numbers; those that are not given are 0. A plain number (a
// version code, a KeyMint version) is a version of one number.
struct Version {
  std::array<std::uint64_t, 4> numbers{};
  auto operator<=>(const Version&) const = default;
};
// nullopt for anything else than digits and dots.
std::optional<Version> parse_version(std::string_view text);
std::string to_string(const Version& version);
// Android's attested form: 140000 is 14.0.0.
Version android_version(std::uint32_t attested);

enum class Operator { kLess, kLessEqual, kEqual, kGreaterEqual, kGreater };
struct Comparison {
  Operator op = Operator::kEqual;
  Version operand;
};
// ">=12, <14": all of them must hold; without an operator it is "equal". nullopt when malformed.
std::optional<std::vector<Comparison>> parse_comparisons(std::string_view text);
bool holds(const Comparison& comparison, const Version& value);

// `*` stands for any text, `?` for one byte; ASCII letters match in either case. Linear in space,
// at worst the product of the lengths in time.
bool glob_match(std::string_view pattern, std::string_view text);

// The limit of a security patch level: not before a date, or not older than an age.
struct PatchLimit {
  std::optional<std::chrono::sys_days> earliest{};
  std::optional<std::chrono::days> max_age{};
};
// "2024-06", "2024-06-05" or an age in days, "540d".
std::optional<PatchLimit> parse_patch_limit(std::string_view text);
std::string to_string(const PatchLimit& limit);
// `level` is YYYYMM or YYYYMMDD as attested; one without a day counts as the first of its month.
// False for what is no date.
bool meets(const PatchLimit& limit, std::uint32_t level, UnixTime now);

}  // namespace touchmark::verifier::policy
