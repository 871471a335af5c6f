// Reads the little-endian, length-prefixed records of the APK Signing Block. Every read says
// whether it could be made; nothing is copied.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace touchmark::package::signature {

class ByteReader {
 public:
  explicit ByteReader(ByteView data) : rest_(data) {}

  bool empty() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }
  ByteView rest() const { return rest_; }

  std::optional<ByteView> take(std::size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  std::optional<std::uint32_t> u32() { return little_endian<std::uint32_t>(); }
  std::optional<std::uint64_t> u64() { return little_endian<std::uint64_t>(); }

  // The bytes behind a uint32 that counts them. Counts of 2^31 and more are refused, as the
  // platform's signed arithmetic does.
  std::optional<ByteView> prefixed() {
    const auto length = u32();
    if (!length || *length > INT32_MAX) return std::nullopt;
    return take(*length);
  }

 private:
  template <class Int>
  std::optional<Int> little_endian() {
    const auto bytes = take(sizeof(Int));
    if (!bytes) return std::nullopt;
    Int value = 0;
    for (std::size_t i = sizeof(Int); i-- > 0;) {
      value = static_cast<Int>(value << 8 | std::to_integer<Int>((*bytes)[i]));
    }
    return value;
  }

  ByteView rest_;
};

}  // namespace touchmark::package::signature
