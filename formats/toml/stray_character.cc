#include "formats/toml/stray_character.h"

namespace touchmark::toml_text {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The offset behind the string that starts at `begin`; where it does not end, behind its line.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string_view three = text.substr(begin, 3);
  const bool is_long = three.size() == 3 && three[1] == quote && three[2] == quote;
  for (std::size_t at = begin + (is_long ? 3 : 1); at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (text[at] == quote) {
      if (!is_long) return at + 1;
      if (text.substr(at, 3) == three) return at + 3;
    } else if (text[at] == '\n' && !is_long) {
      return at + 1;
    }
  }
  return text.size();
}

}  // namespace

std::optional<std::size_t> find_stray_character(std::string_view text) {
  std::size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '#') {
      at = text.find('\n', at);
    } else if (c == '"' || c == '\'') {
      at = end_of_string(text, at);
    } else if ((static_cast<unsigned char>(c) & 0x80U) != 0) {
      return at;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

}  // namespace touchmark::toml_text
