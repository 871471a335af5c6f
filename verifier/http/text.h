// The small words of HTTP, with spaces around them that do not count.
#pragma once

#include <string_view>

namespace touchmark::verifier::http {

// Without the spaces and tabs at both ends (RFC 9110 section 5.6.3).
inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace touchmark::verifier::http
