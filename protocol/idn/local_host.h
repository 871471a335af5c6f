// Hosts that only a machine or a network of one's own reaches. An app in the field, which is told
// such a host, finds nothing there, or something else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/host_port.h"

namespace touchmark::protocol {

// Why `host` is not one that a phone anywhere reaches, as the end of a sentence ("is this machine
// itself"); nullopt for a public name or address. By its spelling alone, nothing is looked up:
// loopback, private, shared, link-local and unspecified addresses (RFC 6890, RFC 4193), also inside
// an IPv4-mapped IPv6 address; names under localhost, local and home.arpa (RFC 6761, 6762, 8375)
// and under those that are kept for networks of one's own; and names without a dot.
std::optional<std::string_view> why_local(const HostPort& host);

}  // namespace touchmark::protocol
