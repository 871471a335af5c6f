#include "attester/core/host.h"

#include <algorithm>
#include <string>

namespace touchmark::attester {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::uint16_t kHttpsPort = 443;

// Not the locale's.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 3986 section 3.2.1. Percent-encoding is left out: some readers decode it before they look for
// the "@".
bool is_user_character(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:";
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         kMarks.find(c) != std::string_view::npos;
}

// "host:port" with the port as protocol::parse_host_port() wants it: every reader takes an empty
// one for the scheme's, and passes over zeros at its front.
std::string with_plain_port(std::string_view host_port) {
  const std::size_t colon = host_port.rfind(':');
  const std::size_t bracket = host_port.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && bracket > colon)) {
    return std::string(host_port);
  }
  const std::string_view host = host_port.substr(0, colon);
  std::string_view port = host_port.substr(colon + 1);
  if (port.empty()) return std::string(host);
  port.remove_prefix(std::min(port.find_first_not_of('0'), port.size() - 1));
  return std::string(host) + ":" + std::string(port);
}

}  // namespace

std::optional<protocol::HostPort> parse_https_url(std::string_view url) {
  if (!std::ranges::equal(url.substr(0, kScheme.size()), kScheme, {}, lower)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = authority.find('@'); at != std::string_view::npos) {
    if (!std::ranges::all_of(authority.substr(0, at), is_user_character)) return std::nullopt;
    authority.remove_prefix(at + 1);
  }
  auto host = protocol::parse_host_port(with_plain_port(authority));
  if (host && !host->port) host->port = kHttpsPort;
  return host;
}

}  // namespace touchmark::attester
