// Hosts as people type them: internationalized names, too. The service and the command line read
// with this; the SDK does not, since it would have to carry libidn2 and Unicode's tables into every
// app. What it gets, from the configuration and from HTTP clients, are A-labels.
#pragma once

#include "protocol/host_port.h"

namespace touchmark::protocol {

// As parse_host_port(), and a name in UTF-8 outside ASCII becomes its A-labels (IDNA2008 with the
// mapping of UTS #46, nontransitional): "Bücher.example" is "xn--bcher-kva.example". nullopt for a
// name that IDNA does not allow.
std::optional<HostPort> parse_unicode_host_port(std::string_view text);

}  // namespace touchmark::protocol
