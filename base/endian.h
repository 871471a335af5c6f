// Little-endian integers, as ZIP archives, binary XML and dex files hold them, and big-endian ones,
// as Mach-O headers and code signatures do.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace touchmark {

// The caller has checked that the bytes are there.
inline std::uint16_t le16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) |
                                    std::to_integer<unsigned>(bytes[at + 1]) << 8);
}
inline std::uint32_t le32(ByteView bytes, std::size_t at) {
  return std::uint32_t{le16(bytes, at)} | std::uint32_t{le16(bytes, at + 2)} << 16;
}
inline std::uint64_t le64(ByteView bytes, std::size_t at) {
  return std::uint64_t{le32(bytes, at)} | std::uint64_t{le32(bytes, at + 4)} << 32;
}

inline std::uint32_t be32(ByteView bytes, std::size_t at) {
  return __builtin_bswap32(le32(bytes, at));
}
inline std::uint64_t be64(ByteView bytes, std::size_t at) {
  return __builtin_bswap64(le64(bytes, at));
}

}  // namespace touchmark
