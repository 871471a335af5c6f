// Hosts as people type them: internationalized names, too. The configuration and the wire have
// A-labels.
#pragma once

#include "protocol/host_port.h"

namespace touchmark::protocol {

// As parse_host_port(), and a name in UTF-8 outside ASCII becomes its A-labels (IDNA2008 with the
// mapping of UTS #46, nontransitional): "Bücher.example" is "xn--bcher-kva.example". nullopt for a
// name that IDNA does not allow.
std::optional<HostPort> parse_unicode_host_port(std::string_view text);

// The same for a host that another program connects to, by the edition of IDNA that it has: nullopt
// for a name that is one host by one edition and another by the next. That is a name with one of
// the deviation characters of UTS #46 section 2.3 (U+00DF: IDNA2003 takes "stra\u00dfe" for
// "strasse") or with U+1E9E, whose mapping has changed. As A-labels such names are read.
std::optional<HostPort> parse_unambiguous_host_port(std::string_view text);

}  // namespace touchmark::protocol
