#include "protocol/sdk_version.h"

#include <algorithm>
#include <charconv>

namespace touchmark::protocol {

std::optional<SdkVersion> parse_sdk_version(std::string_view text) {
  SdkVersion out{};
  const std::size_t end = std::min(text.find_first_of("-+"), text.size());
  out[3] = end == text.size() || text[end] == '+' ? 1 : 0;
  text = text.substr(0, end);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out[i]);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (i == 2) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  return text.empty() ? std::optional(out) : std::nullopt;
}

}  // namespace touchmark::protocol
