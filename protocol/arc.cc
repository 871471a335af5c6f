#include "protocol/arc.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/bytes.h"

namespace touchmark::protocol {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
// Version, every number once, checksum.
constexpr std::size_t kMaxArcBytes = 1 + 256 + 1;

std::uint8_t checksum(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint8_t>(std::accumulate(bytes.begin(), bytes.end(), 0U) & 0xFFU);
}

std::string base32_encode(std::span<const std::uint8_t> bytes) {
  std::string out;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    buffer = (buffer << 8 | byte) & 0xFFFU;  // at most 4 bits were left over
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += kAlphabet[buffer >> bits & 31U];
    }
  }
  if (bits > 0) out += kAlphabet[buffer << (5 - bits) & 31U];
  return out;
}

Result<std::vector<std::uint8_t>> base32_decode(std::string_view text) {
  std::vector<std::uint8_t> out;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const std::size_t value = kAlphabet.find(upper);
    if (value == std::string_view::npos) {
      return fail(ArcError::kBadCharacter,
                  std::string("a response code has A-Z and 2-7, not '") + c + "'");
    }
    buffer = (buffer << 5 | static_cast<unsigned>(value)) & 0xFFFU;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::uint8_t>(buffer >> bits & 0xFFU));
    }
  }
  // Five or more bits left over: the last character carries no part of a byte.
  if (bits >= 5 || (buffer & ((1U << bits) - 1U)) != 0) {
    return fail(ArcError::kBadLength, "a response code cannot end like this; is it complete?");
  }
  return out;
}

}  // namespace

std::string_view error_id(ArcError error) {
  using enum ArcError;
  static constexpr auto kIds = error_table<ArcError>({
      {kBadCharacter, "arc.bad-character"},
      {kBadLength, "arc.bad-length"},
      {kUnknownVersion, "arc.unknown-version"},
      {kBadChecksum, "arc.bad-checksum"},
      {kNotSorted, "arc.not-sorted"},
  });
  return kIds[error];
}

std::string encode_arc(std::span<const Finding> findings) {
  std::set<std::uint8_t> numbers;
  for (const Finding& finding : findings) numbers.insert(static_cast<std::uint8_t>(finding.id));
  std::vector<std::uint8_t> bytes{kVersion};
  bytes.insert(bytes.end(), numbers.begin(), numbers.end());
  bytes.push_back(checksum(bytes));
  return base32_encode(bytes);
}

Result<std::vector<std::uint8_t>> decode_arc(std::string_view arc) {
  if (arc.size() > (kMaxArcBytes * 8 + 4) / 5) {
    return fail(ArcError::kBadLength,
                "a response code of " + std::to_string(arc.size()) + " characters is too long");
  }
  auto bytes = base32_decode(arc);
  if (!bytes) return pass(bytes);
  if (bytes->size() < 2) return fail(ArcError::kBadLength, "a response code is longer than this");
  if (checksum(std::span(*bytes).first(bytes->size() - 1)) != bytes->back()) {
    return fail(ArcError::kBadChecksum,
                "the response code's check digit does not match: mistyped?");
  }
  if (bytes->front() != kVersion) {
    return fail(ArcError::kUnknownVersion,
                "response code version " + std::to_string(bytes->front()) + " is not known here");
  }
  std::vector<std::uint8_t> numbers(bytes->begin() + 1, bytes->end() - 1);
  if (std::ranges::adjacent_find(numbers, std::greater_equal{}) != numbers.end()) {
    return fail(ArcError::kNotSorted, "the response code's findings are not in ascending order");
  }
  return numbers;
}

}  // namespace touchmark::protocol
