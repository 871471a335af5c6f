// Hosts as the configuration and the app name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchmark::attester {

// Lower case, without a trailing dot; an IPv6 address without its brackets.
struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
  bool operator==(const HostPort&) const = default;
};

// "host", "host:port", "[::1]" or "[::1]:port"; nullopt for anything else.
std::optional<HostPort> parse_host(std::string_view text);
// The host and port (443 when none is named) of an https URL; nullopt for anything else.
std::optional<HostPort> parse_https_url(const std::string& url);

}  // namespace touchmark::attester
