// Numbers in images that tests make: the lowest byte first, as on all of Android's machines.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace touchmark::attester::testing {

// Beyond the number's own bytes there are zeros.
constexpr std::byte byte_of(std::uint64_t value, std::size_t index) {
  return index < sizeof value ? static_cast<std::byte>(value >> (8 * index)) : std::byte{0};
}
inline void append_number(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(byte_of(value, i));
}
inline void overwrite(Bytes& out, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[at + i] = byte_of(value, i);
}

}  // namespace touchmark::attester::testing
