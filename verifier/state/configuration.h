// The signed configuration that ships with the app and is updated over the air.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/crypto.h"
#include "protocol/messages/configuration.h"
#include "verifier/model/api_domain.h"
#include "verifier/state/settings.h"

namespace touchmark::verifier::state {

struct Configuration {
  std::int64_t version = 0;  // 0: none was made yet
  std::string jws;           // compact JWS, ES256
};

// All that the configuration says, except version and time of issue. Fails with ConfigError for a
// pin or a domain that cannot be one.
Result<protocol::Configuration> configuration_content(const std::string& account,
                                                      const ServiceSettings& settings,
                                                      const std::vector<model::ApiDomain>& apis,
                                                      const crypto::EcKey& config_key);

// `before` when it says the same as `content`, else its successor: version + 1, signed by
// `content.key`. Fails with ApiError::kTooMany or ConfigError when an app would refuse that.
Result<Configuration> next_configuration(const Configuration& before,
                                         protocol::Configuration content, UnixTime now);

// Reads one that was stored, also one that is larger than an app takes.
enum class ConfigurationError {
  kMalformed,
  kLocalUrl,  // apps would be told a URL that phones do not reach, or that nobody said
};
std::string_view error_id(ConfigurationError error);
Result<Configuration> parse_configuration(std::string_view jws, const crypto::EcKey& key);

// A version above that of a stored configuration that cannot be read, so that apps take what is
// made in its place.
std::int64_t version_after_unreadable(std::string_view jws, UnixTime now);

enum class ApiError {
  kBadDomain,  // not a host or host:port
  kBadPin,     // not the padded base64 of 32 bytes, or more pins than one API may have
  kChanged,    // the API is another than the one that its operator looked at
  kTooMany,    // more APIs or pins than an app takes, by number or by the size of the configuration
};
std::string_view error_id(ApiError error);
// The API as it is stored: its domain in the one spelling of protocol::HostPort, such as
// "api.example.com", "localhost:5001" or "[::1]:5001". A Unicode name becomes its A-labels. Fails
// with kBadDomain or kBadPin.
Result<model::ApiDomain> normalize_api(const model::ApiDomain& api);

}  // namespace touchmark::verifier::state
