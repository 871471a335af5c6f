// The byte types that every module uses, and the casts between them and text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace touchmark {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using Sha256Digest = std::array<std::byte, 32>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
inline std::string to_string(ByteView view) { return std::string(as_text(view)); }
inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

// For the C interfaces of OpenSSL, zlib and SQLite.
inline const unsigned char* uchars(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}
inline unsigned char* uchars(std::span<std::byte> view) {
  return reinterpret_cast<unsigned char*>(view.data());
}

}  // namespace touchmark
