// The small words of HTTP: without regard to case, and with spaces around them that do not count.
#pragma once

#include <algorithm>
#include <string_view>

namespace touchmark::verifier::http {

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// Without the spaces and tabs at both ends (RFC 9110 section 5.6.3).
inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace touchmark::verifier::http
