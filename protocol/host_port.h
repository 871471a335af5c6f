// The grammar of host[:port], which names an API, and of the service's URLs. The attester, the
// verifier and the command line all read hosts with this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchmark::protocol {

// A host in its one spelling, so that equal hosts are equal strings:
// - a DNS name in lower case without the trailing dot ("example.com." is the same host), in the
//   characters of RFC 1123 section 2.1 and the underscore; an internationalized name as its
//   A-labels (RFC 5890);
// - an IPv4 address, four decimal numbers without leading zeros;
// - an IPv6 address as RFC 5952 writes it, without brackets and without a zone.
struct HostPort {
  std::string host;
  // Absent: not named, which for an API means every port. It is not the same as a named 443.
  std::optional<std::uint16_t> port;
  bool operator==(const HostPort&) const = default;
};

// "host", "host:port", "[v6]" or "[v6]:port", port 1 to 65535 without leading zeros; nullopt for
// anything else. A name whose last label is a number is an IPv4 address or nothing, since that is
// what clients take it for. Letters outside ASCII are refused: protocol/idn reads what people type.
std::optional<HostPort> parse_host_port(std::string_view text);

// The text that parse_host_port() reads as `host`, with IPv6 in brackets.
std::string to_string(const HostPort& host);

// The host and port (443 when none is named) of a URL under which the service is reached:
// "https://host[:port]" and a path at most. A user, a query, a fragment, white space, or a
// character that RFC 3986 does not allow in a path is refused, so that no two readers of such a URL
// can take different hosts from it.
std::optional<HostPort> parse_service_url(std::string_view url);

}  // namespace touchmark::protocol
