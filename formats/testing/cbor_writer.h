// Builds CBOR for tests. The product only reads CBOR.
#pragma once

#include <initializer_list>

#include "base/bytes.h"

namespace touchmark::testing::cbor_writer {

inline Bytes head(unsigned major, std::uint64_t argument) {
  Bytes out;
  int size = argument < 24 ? 0 : argument <= 0xff ? 1 : argument <= 0xffff ? 2 : 4;
  unsigned info = size == 0   ? static_cast<unsigned>(argument)
                  : size == 1 ? 24
                  : size == 2 ? 25
                              : 26;
  out.push_back(static_cast<std::byte>(major << 5 | info));
  for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<std::byte>(argument >> (8 * i)));
  return out;
}
inline Bytes integer(std::int64_t value) {
  return value < 0 ? head(1, static_cast<std::uint64_t>(-1 - value))
                   : head(0, static_cast<std::uint64_t>(value));
}
inline Bytes bytes(ByteView content) {
  Bytes out = head(2, content.size());
  append(out, content);
  return out;
}
inline Bytes text(std::string_view content) {
  Bytes out = head(3, content.size());
  append(out, as_bytes(content));
  return out;
}
inline Bytes array(std::initializer_list<Bytes> items) {
  Bytes out = head(4, items.size());
  for (const Bytes& item : items) append(out, item);
  return out;
}
// Key, value, key, value...
inline Bytes map(std::initializer_list<Bytes> items) {
  Bytes out = head(5, items.size() / 2);
  for (const Bytes& item : items) append(out, item);
  return out;
}

}  // namespace touchmark::testing::cbor_writer
