// Decoders of primitive values: numbers, identifiers, times, strings.
#include <algorithm>

#include "base/encoding.h"
#include "base/utf.h"
#include "formats/der.h"

namespace touchmark::der {
namespace {

constexpr std::size_t kMaxArcs = 64;

std::uint8_t byte_at(ByteView data, std::size_t index) {
  return std::to_integer<std::uint8_t>(data[index]);
}

// Two decimal digits, or -1.
int two_digits(std::string_view text, std::size_t position) {
  char tens = text[position];
  char units = text[position + 1];
  if (tens < '0' || tens > '9' || units < '0' || units > '9') return -1;
  return (tens - '0') * 10 + (units - '0');
}

bool is_printable_string(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos ||
           // Not of the alphabet, but common in genuine names, and harmless.
           c == '*' || c == '@' || c == '&' || c == '_';
  });
}

}  // namespace

Result<bool> decode_boolean(ByteView content, bool any_true) {
  if (content.size() != 1) return fail(DerError::kBadBoolean, "a BOOLEAN is not one byte");
  std::uint8_t value = byte_at(content, 0);
  if (value != 0 && value != 0xff && !any_true) {
    return fail(DerError::kBadBoolean, "a BOOLEAN is neither 00 nor FF");
  }
  return value != 0;
}

Result<ByteView> decode_integer(ByteView content) {
  if (content.empty()) return fail(DerError::kBadInteger, "an INTEGER has no content");
  if (content.size() > 1) {
    bool sign = (byte_at(content, 1) & 0x80U) != 0;
    if ((byte_at(content, 0) == 0 && !sign) || (byte_at(content, 0) == 0xff && sign)) {
      return fail(DerError::kBadInteger, "an INTEGER is not minimal");
    }
  }
  return content;
}

Result<std::uint64_t> decode_uint64(ByteView content) {
  auto bytes = decode_integer(content);
  if (!bytes) return pass(bytes);
  bool negative = (byte_at(content, 0) & 0x80U) != 0;
  if (negative || content.size() > 9 || (content.size() == 9 && byte_at(content, 0) != 0)) {
    return fail(DerError::kBadInteger, "an INTEGER is negative or over 2^64 - 1");
  }
  return big_endian(content);
}

Result<void> decode_null(ByteView content) {
  if (content.empty()) return {};
  return fail(DerError::kBadNull, "a NULL has content");
}

Result<ByteView> decode_octet_aligned_bits(ByteView content) {
  if (content.empty() || byte_at(content, 0) != 0) {
    return fail(DerError::kBadBitString, "a BIT STRING is not of whole bytes");
  }
  return content.subspan(1);
}

Result<std::string> decode_oid(ByteView content, Options options) {
  std::string text;
  std::uint64_t arc = 0;
  std::size_t arcs = 0;
  bool inside = false;
  for (std::byte byte : content) {
    auto value = std::to_integer<std::uint8_t>(byte);
    if ((!inside && value == 0x80 && !options.padded_numbers) || arc > UINT64_MAX >> 7 ||
        arcs == kMaxArcs) {
      return fail(DerError::kBadOid, "an OBJECT IDENTIFIER is not minimal or too long");
    }
    arc = arc << 7 | (value & 0x7fU);
    inside = (value & 0x80U) != 0;
    if (inside) continue;
    if (arcs == 0) {
      std::uint64_t first = std::min<std::uint64_t>(arc / 40, 2);
      text = std::to_string(first) + "." + std::to_string(arc - first * 40);
    } else {
      text += "." + std::to_string(arc);
    }
    ++arcs;
    arc = 0;
  }
  if (inside || arcs == 0) return fail(DerError::kBadOid, "an OBJECT IDENTIFIER is cut off");
  return text;
}

Result<UnixTime> decode_time(const Element& element) {
  std::string_view text = as_text(element.content);
  bool generalized = element.tag == kGeneralizedTime;
  if (!generalized && element.tag != kUtcTime) {
    return fail(DerError::kUnexpectedTag,
                "a time must stand where " + to_string(element.tag) + " is");
  }
  std::size_t year_digits = generalized ? 4 : 2;
  if (text.size() != year_digits + 11 || text.back() != 'Z') {
    return fail(DerError::kBadTime, "a time is not of the form that DER and RFC 5280 ask for");
  }
  int year = 0;
  int low = two_digits(text, year_digits - 2);
  int high = generalized ? two_digits(text, 0) : (low >= 50 ? 19 : 20);
  year = high * 100 + low;
  int part[5];  // month, day, hour, minute, second
  bool digits = low >= 0 && high >= 0;
  for (std::size_t i = 0; i < 5; ++i) {
    part[i] = two_digits(text, year_digits + 2 * i);
    digits = digits && part[i] >= 0;
  }
  std::chrono::year_month_day date{std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(std::max(part[0], 0))),
                                   std::chrono::day(static_cast<unsigned>(std::max(part[1], 0)))};
  if (!digits || !date.ok() || part[2] > 23 || part[3] > 59 || part[4] > 59) {
    return fail(DerError::kBadTime, "a time is not one of the calendar");
  }
  return std::chrono::sys_days(date) + std::chrono::hours(part[2]) + std::chrono::minutes(part[3]) +
         Seconds(part[4]);
}

Result<std::string> decode_string(const Element& element) {
  std::string_view text = as_text(element.content);
  bool good = false;
  if (element.tag == kUtf8String) {
    good = is_utf8(text);
  } else if (element.tag == kPrintableString) {
    good = is_printable_string(text);
  } else if (element.tag == kIa5String) {
    good = std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
  } else {
    return fail(DerError::kUnexpectedTag,
                "a string must stand where " + to_string(element.tag) + " is");
  }
  if (!good) return fail(DerError::kBadString, "a string is not of its type's alphabet");
  return std::string(text);
}

Result<Bytes> decode_octets(const Element& element, Options options) {
  if (element.tag == kOctetString) return to_bytes(element.content);
  Tag pieces{Class::kUniversal, true, kOctetString.number};
  if (element.tag != pieces || !options.indefinite_length) {
    return fail(DerError::kUnexpectedTag,
                "OCTET STRING must stand where " + to_string(element.tag) + " is");
  }
  Bytes out;
  Reader reader(element.content, options);
  while (!reader.at_end()) {
    auto piece = reader.read(kOctetString);
    if (!piece) return pass(piece);
    append(out, piece->content);
  }
  return out;
}

}  // namespace touchmark::der
