#include "package/android/string_pool.h"

#include <algorithm>

#include "base/utf.h"

namespace touchmark::package::android {
namespace {

constexpr std::size_t kMinHeaderSize = 28;
// A length of UTF-8 has 15 bits; of a longer text it counts what is over a multiple of this.
constexpr std::size_t kUtf8LengthUnit = 0x8000;
constexpr std::uint32_t kUtf8Flag = 0x100;

// A length in one unit, or in two when the highest bit of the first is set.
std::optional<std::size_t> take_length8(ByteView& rest) {
  if (rest.empty()) return std::nullopt;
  std::size_t length = std::to_integer<std::size_t>(rest[0]);
  std::size_t used = 1;
  if (length & 0x80) {
    if (rest.size() < 2) return std::nullopt;
    length = (length & 0x7f) << 8 | std::to_integer<std::size_t>(rest[1]);
    used = 2;
  }
  rest = rest.subspan(used);
  return length;
}

std::optional<std::size_t> take_length16(ByteView& rest) {
  if (rest.size() < 2) return std::nullopt;
  std::size_t length = le16(rest, 0);
  std::size_t used = 2;
  if (length & 0x8000) {
    if (rest.size() < 4) return std::nullopt;
    length = (length & 0x7fff) << 16 | le16(rest, 2);
    used = 4;
  }
  rest = rest.subspan(used);
  return length;
}

tl::unexpected<Error> bad_offset(std::size_t offset) {
  return fail(StringPoolError::kBadOffset,
              "the string at " + std::to_string(offset) + " leaves its pool");
}

}  // namespace

std::string_view error_id(StringPoolError error) {
  using enum StringPoolError;
  static constexpr auto kIds = error_table<StringPoolError>({
      {kBadHeader, "string-pool.bad-header"},
      {kNoSuchString, "string-pool.no-such-string"},
      {kBadOffset, "string-pool.bad-offset"},
      {kUnterminated, "string-pool.unterminated"},
      {kBadEncoding, "string-pool.bad-encoding"},
  });
  return kIds[error];
}

Result<StringPool> StringPool::parse(const Chunk& chunk, Budget& budget) {
  if (chunk.type != kStringPoolChunk || chunk.header.size() < kMinHeaderSize) {
    return fail(StringPoolError::kBadHeader,
                "a string pool header of " + std::to_string(chunk.header.size()) + " bytes");
  }
  const std::uint64_t strings = le32(chunk.header, 8);
  const std::uint64_t styles = le32(chunk.header, 12);
  const std::uint32_t flags = le32(chunk.header, 16);
  const std::uint64_t strings_start = le32(chunk.header, 20);
  const std::uint64_t styles_start = le32(chunk.header, 24);
  const std::uint64_t size = chunk.whole.size();
  const std::uint64_t strings_end = styles > 0 ? styles_start : size;
  const std::uint64_t offsets_end = chunk.header.size() + 4 * (strings + styles);
  if (offsets_end > size || strings_end > size ||
      (strings > 0 && (strings_start < offsets_end || strings_start > strings_end))) {
    return fail(StringPoolError::kBadHeader,
                std::to_string(strings) + " strings and " + std::to_string(styles) +
                    " styles do not fit into " + std::to_string(size) + " bytes");
  }
  StringPool pool;
  pool.budget_ = &budget;
  pool.count_ = static_cast<std::size_t>(strings);
  pool.utf8_ = (flags & kUtf8Flag) != 0;
  pool.offsets_ = chunk.body.first(4 * pool.count_);
  if (pool.count_ > 0) {
    pool.strings_ = chunk.whole.subspan(static_cast<std::size_t>(strings_start),
                                        static_cast<std::size_t>(strings_end - strings_start));
  }
  return pool;
}

Result<std::string> StringPool::get(std::uint32_t index) const {
  if (index >= count_) {
    return fail(StringPoolError::kNoSuchString,
                "string " + std::to_string(index) + " of " + std::to_string(count_));
  }
  const std::size_t offset = le32(offsets_, std::size_t{4} * index);
  if (offset > strings_.size()) return bad_offset(offset);
  return utf8_ ? get_utf8(offset) : get_utf16(offset);
}

Result<bool> StringPool::same(std::uint32_t a, std::uint32_t b) const {
  if (a == b) return true;
  const auto first = get(a);
  if (!first) return pass(first);
  const auto second = get(b);
  if (!second) return pass(second);
  return *first == *second;
}

Result<std::string> StringPool::get_utf8(std::size_t offset) const {
  ByteView rest = strings_.subspan(offset);
  const auto units = take_length8(rest);  // of the same text in UTF-16; the platform ignores it
  auto length = take_length8(rest);
  if (!units || !length || *length >= rest.size()) return bad_offset(offset);
  while (rest[*length] != std::byte{0}) {
    if (rest.size() - *length <= kUtf8LengthUnit) {
      return fail(StringPoolError::kUnterminated, "string at " + std::to_string(offset));
    }
    *length += kUtf8LengthUnit;
  }
  if (auto ok = budget_->take_bytes(*length); !ok) return pass(ok);
  auto text = from_java_utf8(as_text(rest.first(*length)));
  // A zero inside would end the text for one reader and not for the other.
  if (!text || text->find('\0') != text->npos) {
    return fail(StringPoolError::kBadEncoding,
                "the string at " + std::to_string(offset) + " is not UTF-8 or holds a zero");
  }
  return *std::move(text);
}

Result<std::string> StringPool::get_utf16(std::size_t offset) const {
  ByteView rest = strings_.subspan(offset);
  const auto length = take_length16(rest);
  if (!length || *length >= rest.size() / 2) return bad_offset(offset);
  if (le16(rest, 2 * *length) != 0) {
    return fail(StringPoolError::kUnterminated, "string at " + std::to_string(offset));
  }
  // Each unit may become three bytes.
  if (auto ok = budget_->take_bytes(3 * *length); !ok) return pass(ok);
  auto text = from_utf16le(rest.first(2 * *length));
  if (!text || text->find('\0') != text->npos) {
    return fail(StringPoolError::kBadEncoding,
                "the string at " + std::to_string(offset) + " is not UTF-16 or holds a zero");
  }
  return *std::move(text);
}

}  // namespace touchmark::package::android
