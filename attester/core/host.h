// The hosts of the URLs that an app asks for.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/host_port.h"

namespace touchmark::attester {

// The host that the app's HTTP client connects to, and the port (443 when none is named), of an
// https URL. A URL is judged by scheme, host and port alone: what follows the first of "/", "?" and
// "#" may hold anything.
//
// Clients read URLs in different ways, and a token must not go to a host that only this reader saw.
// So nullopt for every URL that two of them can take for two hosts: anything but "https://" (in any
// case) before the host, a backslash, a percent sign or white space in it, more than one "@", a
// number that is no IPv4 address. A user and password of RFC 3986's characters are passed over. An
// internationalized name is taken as A-labels alone: the bindings make them as their platform's
// HTTP clients do, and no app has to carry Unicode's tables.
std::optional<protocol::HostPort> parse_https_url(std::string_view url);

}  // namespace touchmark::attester
