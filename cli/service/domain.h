// The name of a protected API: "host" or "host:port", in the one spelling of protocol::HostPort.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace touchmark::cli::service {

// kUsage for a URL with a path, a user, white space, or a port outside 1..65535. Takes
// "https://host:port/" as well, since that is what people paste, and Unicode names.
Result<std::string> normalize_domain(std::string_view text);

}  // namespace touchmark::cli::service
