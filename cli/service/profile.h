// What `touchmark init` remembers of a service: one JSON file a profile, readable by its owner
// only, under $TOUCHMARK_HOME, else $XDG_CONFIG_HOME/touchmark, else ~/.config/touchmark.
#pragma once

#include <filesystem>
#include <string>

#include "cli/service/environment.h"
#include "cli/service/transport.h"

namespace touchmark::cli::service {

inline constexpr const char* kDefaultProfile = "default";

// The file of a profile; kUsage for a name with characters other than letters, digits, '-', '_',
// '.'.
Result<std::filesystem::path> profile_path(const Environment& environment, const std::string& name);

Result<void> save_profile(const Environment& environment, const std::string& name,
                          const Endpoint& endpoint);
// kNotConfigured when there is no default profile, kNoSuchProfile for another name, kBadProfile
// when the file cannot be read, or may be read by others.
Result<Endpoint> load_profile(const Environment& environment, const std::string& name);

// The profile, under TOUCHMARK_URL, TOUCHMARK_TOKEN and TOUCHMARK_PIN. A stored token and pin
// belong to the stored address: when TOUCHMARK_URL names another one they are not used.
Result<Endpoint> resolve_endpoint(const Environment& environment, const std::string& profile);

// Checks that `text`, without white space around it, can be an operator token: RFC 6750's
// characters only, so that nothing else gets into the header. kUsage.
Result<std::string> parse_operator_token(std::string_view text);

// "https://host[:port]" in lower case without a slash at the end; "host:port" gets the scheme.
Result<std::string> normalize_url(std::string_view text);

}  // namespace touchmark::cli::service
