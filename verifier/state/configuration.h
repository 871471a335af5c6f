// The signed configuration that ships with the app and is updated over the air.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "verifier/model/api_domain.h"
#include "verifier/state/settings.h"

namespace touchmark::verifier::state {

struct Configuration {
  std::int64_t version = 0;  // 0: none was made yet
  std::string jws;           // compact JWS, ES256
};

// All that the configuration says, but for version and time of issue.
Json configuration_content(const std::string& account, const ServiceSettings& settings,
                           const std::vector<model::ApiDomain>& apis,
                           const crypto::EcKey& config_key);

// `before` when it says the same as `content`, else its successor: version + 1, signed by `key`.
Configuration next_configuration(const Configuration& before, const Json& content,
                                 const crypto::EcKey& key, UnixTime now);

// Reads one that was stored.
enum class ConfigurationError { kMalformed };
std::string_view error_id(ConfigurationError error);
Result<Configuration> parse_configuration(std::string_view jws, const crypto::EcKey& key);

// "api.example.com" or "localhost:5001" in lower case; kBadDomain for what is no host[:port].
enum class ApiError { kBadDomain, kBadPin };
std::string_view error_id(ApiError error);
Result<model::ApiDomain> normalize_api(const model::ApiDomain& api);

}  // namespace touchmark::verifier::state
