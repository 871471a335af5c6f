#include "cli/service/domain.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "protocol/idn/unicode_host.h"

namespace touchmark::cli::service {

Result<std::string> normalize_domain(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  std::string_view domain = io::trim(text);
  if (lower(domain.substr(0, kScheme.size())) == kScheme) domain.remove_prefix(kScheme.size());
  if (domain.ends_with('/')) domain.remove_suffix(1);
  const auto host = protocol::parse_unicode_host_port(domain);
  if (!host) {
    return fail(io::CliError::kUsage,
                fmt::format("'{}' is not a domain; write it like api.example.com or "
                            "localhost:5001",
                            text));
  }
  return to_string(*host);
}

}  // namespace touchmark::cli::service
