#include "base/utf.h"

#include "base/endian.h"

namespace touchmark {
namespace {

constexpr std::uint32_t kBad = 0xffffffff;

bool is_high_surrogate(std::uint32_t c) { return c >= 0xd800 && c <= 0xdbff; }
bool is_low_surrogate(std::uint32_t c) { return c >= 0xdc00 && c <= 0xdfff; }

std::uint32_t join_surrogates(std::uint32_t high, std::uint32_t low) {
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

// Takes one character off `text`; surrogates are characters here. kBad when there is none.
std::uint32_t take_utf8(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(text[i]);
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return kBad;
  std::uint32_t c = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kBad;
    c = c << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kSmallest[length] || c > 0x10ffff) return kBad;
  text.remove_prefix(length);
  return c;
}

void put_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::uint32_t c = take_utf8(text);
    if (c == kBad || is_high_surrogate(c) || is_low_surrogate(c)) return false;
  }
  return true;
}

std::optional<std::string> from_java_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::uint32_t c = take_utf8(text);
    if (is_high_surrogate(c) && !text.empty()) {
      const std::uint32_t low = take_utf8(text);
      if (!is_low_surrogate(low)) return std::nullopt;
      c = join_surrogates(c, low);
    }
    if (c == kBad || is_high_surrogate(c) || is_low_surrogate(c)) return std::nullopt;
    put_utf8(out, c);
  }
  return out;
}

std::optional<std::string> from_utf16le(ByteView bytes) {
  std::string out;
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    std::uint32_t c = le16(bytes, at);
    if (is_high_surrogate(c) && at + 4 <= bytes.size() && is_low_surrogate(le16(bytes, at + 2))) {
      at += 2;
      c = join_surrogates(c, le16(bytes, at));
    }
    if (is_high_surrogate(c) || is_low_surrogate(c)) return std::nullopt;
    put_utf8(out, c);
  }
  return out;
}

std::u16string to_utf16(std::string_view utf8) {
  constexpr std::uint32_t kReplacement = 0xfffd;
  std::u16string out;
  while (!utf8.empty()) {
    std::uint32_t c = take_utf8(utf8);
    if (c == kBad) utf8.remove_prefix(1);
    if (c == kBad || is_high_surrogate(c) || is_low_surrogate(c)) c = kReplacement;
    if (c < 0x10000) {
      out += static_cast<char16_t>(c);
    } else {
      out += static_cast<char16_t>(0xd800 + ((c - 0x10000) >> 10));
      out += static_cast<char16_t>(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  return out;
}

}  // namespace touchmark
