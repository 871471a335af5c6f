#include "package/android/signature/ber.h"

#include <algorithm>

namespace touchmark::package::signature {
namespace {

constexpr std::size_t kMaxLengthBytes = 4;
constexpr std::size_t kEndMarkBytes = 2;

bool at_end_mark(ByteView data) {
  return data.size() >= kEndMarkBytes && data[0] == std::byte{0} && data[1] == std::byte{0};
}

}  // namespace

std::optional<std::uint8_t> BerReader::byte() {
  if (rest_.empty()) return std::nullopt;
  const auto value = std::to_integer<std::uint8_t>(rest_.front());
  rest_ = rest_.subspan(1);
  return value;
}

std::optional<std::uint32_t> BerReader::tag_number(std::uint8_t first) {
  std::uint32_t number = first & 0x1f;
  if (number != 0x1f) return number;
  number = 0;  // high form: seven bits a byte, the last one without its top bit
  for (;;) {
    const auto next = byte();
    if (!next || number > INT32_MAX >> 7) return std::nullopt;
    number = number << 7 | (*next & 0x7fu);
    if ((*next & 0x80) == 0) return number;
  }
}

// Bytes up to the end mark of a value whose length is not given.
std::optional<std::size_t> BerReader::indefinite_length(bool constructed, unsigned depth) const {
  if (!constructed) {
    for (std::size_t at = 0; at + kEndMarkBytes <= rest_.size(); ++at) {
      if (at_end_mark(rest_.subspan(at))) return at;
    }
    return std::nullopt;
  }
  if (depth == 0) return std::nullopt;
  BerReader inner(rest_);
  while (!at_end_mark(inner.rest_)) {
    if (!inner.read(depth - 1)) return std::nullopt;
  }
  return rest_.size() - inner.rest_.size();
}

std::optional<BerValue> BerReader::read(unsigned depth) {
  const ByteView whole = rest_;
  const auto malformed = [&]() -> std::optional<BerValue> {
    rest_ = whole;
    return std::nullopt;
  };
  const auto first = byte();
  if (!first) return std::nullopt;
  const auto tag = tag_number(*first);
  const auto length_byte = byte();
  if (!tag || !length_byte) return malformed();
  std::size_t length = *length_byte;
  std::size_t end_mark = 0;
  if (length == 0x80) {
    const auto found = indefinite_length((*first & 0x20) != 0, depth);
    if (!found) return malformed();
    length = *found;
    end_mark = kEndMarkBytes;
  } else if (length > 0x80) {
    const std::size_t count = length & 0x7f;
    if (count > kMaxLengthBytes) return malformed();
    length = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto next = byte();
      if (!next) return malformed();
      length = length << 8 | *next;
    }
  }
  if (length + end_mark > rest_.size()) return malformed();
  BerValue value;
  value.tag_class = static_cast<BerClass>(*first >> 6);
  value.tag = *tag;
  value.contents = rest_.first(length);
  rest_ = rest_.subspan(length + end_mark);
  value.encoded = whole.first(whole.size() - rest_.size());
  return value;
}

std::optional<std::string> oid_text(ByteView contents) {
  std::string text;
  std::uint64_t number = 0;
  bool inside = false;
  for (const std::byte next : contents) {
    if (number > UINT64_MAX >> 7) return std::nullopt;
    number = number << 7 | std::to_integer<std::uint64_t>(next & std::byte{0x7f});
    inside = (next & std::byte{0x80}) != std::byte{0};
    if (inside) continue;
    if (text.empty()) {  // the first number holds the first two arcs
      const std::uint64_t root = std::min<std::uint64_t>(number / 40, 2);
      text = std::to_string(root) + "." + std::to_string(number - root * 40);
    } else {
      text += "." + std::to_string(number);
    }
    number = 0;
  }
  if (text.empty() || inside) return std::nullopt;
  return text;
}

}  // namespace touchmark::package::signature
