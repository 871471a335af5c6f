// The hosts of the URLs that an app asks for.
#pragma once

#include <optional>
#include <string>

#include "protocol/host_port.h"

namespace touchmark::attester {

// The host and port (443 when none is named) of an https URL; nullopt for anything else. Unlike
// protocol::parse_service_url() it takes every URL that an HTTP client would, and names the host
// that such a client would connect to.
std::optional<protocol::HostPort> parse_https_url(const std::string& url);

}  // namespace touchmark::attester
