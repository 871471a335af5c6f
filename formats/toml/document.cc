#include "formats/toml/document.h"

#include <algorithm>

#include "formats/toml/stray_character.h"

namespace touchmark::toml_text {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

tl::expected<toml::table, Fault> parse(std::string_view text) {
  if (const auto stray = find_stray_character(text)) {
    const std::string_view before = text.substr(0, *stray);
    const std::size_t line_begin = before.rfind('\n') + 1;  // 0 on the first line
    return tl::unexpected(Fault{static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
                                static_cast<std::uint32_t>(*stray - line_begin + 1),
                                "not TOML: a character outside ASCII, not in quotes or a comment"});
  }
  toml::parse_result parsed = toml::parse(text);
  if (parsed) return std::move(parsed).table();
  const toml::source_position at = parsed.error().source().begin;
  return tl::unexpected(
      Fault{at.line, at.column, "not TOML: " + std::string(parsed.error().description())});
}

std::string key_text(std::string_view key) {
  if (!key.empty() && std::ranges::all_of(key, is_bare)) return std::string(key);
  std::string out = "\"";
  for (const char c : key) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return out + "\"";
}

}  // namespace touchmark::toml_text
