#include "protocol/idn/unicode_host.h"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace touchmark::protocol {
namespace {

// Far over what becomes a name of 253 bytes; libidn2 need not see more.
constexpr std::size_t kMaxUnicodeName = 1024;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::optional<std::string> to_a_labels(std::string_view name) {
  if (name.size() > kMaxUnicodeName || name.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  char* text = nullptr;
  const int result =
      idn2_to_ascii_8z(std::string(name).c_str(), &text, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, decltype(&idn2_free)> owned(text, idn2_free);
  if (result != IDN2_OK || text == nullptr) return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<HostPort> parse_unicode_host_port(std::string_view text) {
  if (is_ascii(text)) return parse_host_port(text);
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto name = to_a_labels(text.substr(0, colon));
  // The mapping makes ASCII of look-alikes of ':' and '[', too: those are no part of a name.
  if (!name || name->find_first_of(":[]") != std::string::npos) return std::nullopt;
  return parse_host_port(*name + std::string(text.substr(colon)));
}

}  // namespace touchmark::protocol
