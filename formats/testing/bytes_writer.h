// Writes little-endian test files into a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchmark::package::testing {

inline std::string u8(std::uint64_t value) { return {static_cast<char>(value)}; }
inline std::string u16(std::uint64_t value) { return u8(value) + u8(value >> 8); }
inline std::string u32(std::uint64_t value) { return u16(value) + u16(value >> 16); }
inline std::string u64(std::uint64_t value) { return u32(value) + u32(value >> 32); }

inline void patch(std::string& file, std::size_t at, std::string_view bytes) {
  file.replace(at, bytes.size(), bytes);
}

}  // namespace touchmark::package::testing
