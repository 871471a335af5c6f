// Builds DER for tests. The product only reads DER.
#pragma once

#include <initializer_list>

#include "base/bytes.h"
#include "formats/der.h"

namespace touchmark::testing {

inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

inline Bytes element(der::Tag tag, ByteView content) {
  auto lead = static_cast<unsigned>(tag.tag_class) << 6 | (tag.constructed ? 0x20U : 0U);
  Bytes out;
  if (tag.number < 31) {
    out.push_back(static_cast<std::byte>(lead | tag.number));
  } else {
    out.push_back(static_cast<std::byte>(lead | 31U));
    int groups = 1;
    while (tag.number >> (7 * groups) != 0) ++groups;
    for (int i = groups - 1; i >= 0; --i) {
      out.push_back(static_cast<std::byte>((tag.number >> (7 * i) & 0x7fU) | (i > 0 ? 0x80U : 0U)));
    }
  }
  std::size_t size = content.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::byte>(size));
  } else {
    int bytes = size > 0xffff ? 3 : size > 0xff ? 2 : 1;
    out.push_back(static_cast<std::byte>(0x80 + bytes));
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::byte>(size >> (8 * i)));
  }
  append(out, content);
  return out;
}

// A non-negative INTEGER, or ENUMERATED.
inline Bytes number(std::uint64_t value, der::Tag tag = der::kInteger) {
  Bytes content;
  bool started = false;
  for (int i = 7; i >= 0; --i) {
    auto byte = static_cast<std::byte>(value >> (8 * i));
    if (!started && byte == std::byte{0} && i > 0) continue;
    if (!started && (std::to_integer<unsigned>(byte) & 0x80U) != 0) content.push_back(std::byte{0});
    started = true;
    content.push_back(byte);
  }
  return element(tag, content);
}

inline Bytes octets(ByteView content) { return element(der::kOctetString, content); }
inline Bytes octets(std::string_view text) { return octets(as_bytes(text)); }
inline Bytes sequence(std::initializer_list<Bytes> parts) {
  return element(der::kSequence, join(parts));
}
inline Bytes set(std::initializer_list<Bytes> parts) { return element(der::kSet, join(parts)); }
inline Bytes boolean(std::uint8_t value) {
  return element(der::kBoolean, Bytes{static_cast<std::byte>(value)});
}
inline Bytes explicit_tag(std::uint32_t tag_number, const Bytes& inner) {
  return element(der::context(tag_number), inner);
}
inline Bytes null() { return element(der::kNull, {}); }

}  // namespace touchmark::testing
