#include "base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace touchmark {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::uint8_t kNotADigit = 0xff;

// Maps a character to its 6-bit value.
using ReverseTable = std::array<std::uint8_t, 256>;
constexpr ReverseTable reverse(std::string_view alphabet) {
  ReverseTable table{};
  table.fill(kNotADigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr ReverseTable kStandardValues = reverse(kStandard);
constexpr ReverseTable kUrlSafeValues = reverse(kUrlSafe);

std::string encode(ByteView data, std::string_view alphabet) {
  std::string out((data.size() * 4 + 2) / 3, '\0');
  auto put = out.begin();
  const auto digit = [&](std::uint32_t value) { *put++ = alphabet[value & 63]; };
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(data[i]); };
  std::size_t i = 0;
  for (; i + 3 <= data.size(); i += 3) {
    const std::uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    digit(three >> 18);
    digit(three >> 12);
    digit(three >> 6);
    digit(three);
  }
  if (i == data.size()) return out;
  const bool two = i + 2 == data.size();
  const std::uint32_t rest = byte(i) << 16 | (two ? byte(i + 1) << 8 : 0U);
  digit(rest >> 18);
  digit(rest >> 12);
  if (two) digit(rest >> 6);
  return out;
}

// Where and why a text is no base64.
struct Fault {
  EncodingError code;
  std::size_t position = 0;
};

// `out`: bytes_of() bytes.
std::optional<Fault> find_fault(std::string_view digits, const ReverseTable& values,
                                std::byte* out) {
  if (digits.size() % 4 == 1) return Fault{EncodingError::kBadLength};
  const auto value = [&](std::size_t i) {
    return std::uint32_t{values[static_cast<std::uint8_t>(digits[i])]};
  };
  std::size_t i = 0;
  for (; i + 4 <= digits.size(); i += 4) {
    const std::uint32_t a = value(i);
    const std::uint32_t b = value(i + 1);
    const std::uint32_t c = value(i + 2);
    const std::uint32_t d = value(i + 3);
    if (((a | b | c | d) & 0xC0U) != 0) break;  // not digits, one of them
    const std::uint32_t three = a << 18 | b << 12 | c << 6 | d;
    *out++ = static_cast<std::byte>(three >> 16);
    *out++ = static_cast<std::byte>(three >> 8);
    *out++ = static_cast<std::byte>(three);
  }
  std::uint32_t buffer = 0;
  int bits = 0;
  for (; i < digits.size(); ++i) {
    if (value(i) == kNotADigit) return Fault{EncodingError::kBadCharacter, i};
    buffer = buffer << 6 | value(i);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *out++ = static_cast<std::byte>(buffer >> bits);
    }
  }
  if ((buffer & ((1U << bits) - 1)) != 0) return Fault{EncodingError::kNonZeroTrailing};
  return std::nullopt;
}

// The same as a Result.
Result<void> decode_into(std::string_view digits, const ReverseTable& values, std::byte* out) {
  const auto fault = find_fault(digits, values, out);
  if (!fault) return {};
  switch (fault->code) {
    case EncodingError::kBadLength:
      return fail(fault->code,
                  "base64 of " + std::to_string(digits.size()) + " digits encodes no whole byte");
    case EncodingError::kBadCharacter:
      return fail(fault->code,
                  "character at position " + std::to_string(fault->position) + " is not base64");
    case EncodingError::kNonZeroTrailing:
      break;
  }
  return fail(fault->code, "unused bits of the last base64 digit are set");
}

constexpr std::size_t bytes_of(std::string_view digits) { return digits.size() * 3 / 4; }

// Out: Bytes or std::string.
template <class Out>
Result<Out> decode(std::string_view digits, const ReverseTable& values) {
  Out out(bytes_of(digits), typename Out::value_type{});
  auto ok = decode_into(digits, values, reinterpret_cast<std::byte*>(out.data()));
  if (!ok) return pass(ok);
  return out;
}

std::optional<Sha256Digest> decode_digest(std::string_view digits, const ReverseTable& values) {
  Sha256Digest out{};
  if (bytes_of(digits) != out.size() || find_fault(digits, values, out.data())) {
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::string_view error_id(EncodingError error) {
  using enum EncodingError;
  static constexpr auto kIds = error_table<EncodingError>({
      {kBadCharacter, "encoding.bad-character"},
      {kBadLength, "encoding.bad-length"},
      {kNonZeroTrailing, "encoding.non-zero-trailing"},
  });
  return kIds[error];
}

std::string base64_encode(ByteView data) {
  std::string out = encode(data, kStandard);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

Result<Bytes> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return fail(EncodingError::kBadLength, "length " + std::to_string(text.size()) +
                                               " is not a multiple of 4: padding is missing");
  }
  // At most two: a third '=' is then a bad character.
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode<Bytes>(text, kStandardValues);
}

std::string base64url_encode(ByteView data) { return encode(data, kUrlSafe); }

Result<Bytes> base64url_decode(std::string_view text) {
  return decode<Bytes>(text, kUrlSafeValues);
}

Result<std::string> base64url_decode_text(std::string_view text) {
  return decode<std::string>(text, kUrlSafeValues);
}

std::optional<ByteView> base64url_decode_into(std::string_view text, std::span<std::byte> out) {
  const std::size_t size = bytes_of(text);
  if (size > out.size() || find_fault(text, kUrlSafeValues, out.data())) return std::nullopt;
  return ByteView(out.first(size));
}

std::optional<Sha256Digest> base64url_digest(std::string_view text) {
  return decode_digest(text, kUrlSafeValues);
}

Result<Bytes> base64_any_decode(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string digits(text);
  std::ranges::replace(digits, '+', '-');
  std::ranges::replace(digits, '/', '_');
  return base64url_decode(digits);
}

std::string hex_encode(ByteView data) {
  std::string out;
  out.reserve(data.size() * 2);
  for (std::byte byte : data) {
    out.push_back(kHexDigits[std::to_integer<std::size_t>(byte) >> 4]);
    out.push_back(kHexDigits[std::to_integer<std::size_t>(byte) & 15]);
  }
  return out;
}

Result<Bytes> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) {
    return fail(EncodingError::kBadLength, "an odd number of hex digits");
  }
  Bytes out;
  out.reserve(text.size() / 2);
  unsigned high = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    unsigned value = 0;
    if (c >= '0' && c <= '9') {
      value = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      value = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return fail(EncodingError::kBadCharacter,
                  "character at position " + std::to_string(i) + " is not a hex digit");
    }
    if (i % 2 == 0) {
      high = value;
    } else {
      out.push_back(static_cast<std::byte>(high << 4 | value));
    }
  }
  return out;
}

std::optional<Sha256Digest> base64_digest(std::string_view text) {
  if (text.size() % 4 != 0 || !text.ends_with('=')) return std::nullopt;
  text.remove_suffix(1);
  return decode_digest(text, kStandardValues);
}

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

void append_big_endian(Bytes& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(number >> shift & 0xFF));
  }
}

}  // namespace touchmark
