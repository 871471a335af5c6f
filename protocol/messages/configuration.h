// The signed configuration (protocol/README.md): an asset of the app at first, then what the
// service sends over the air. One struct and one set of rules for the service, which makes it, and
// the SDK, which takes it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "protocol/host_port.h"

namespace touchmark::protocol {

inline constexpr std::string_view kConfigType = "touchmark-config+jwt";  // header `typ`

enum class ConfigError {
  kMalformed,     // not a compact JWS of the configuration's shape, or over a bound of limits.h
  kBadSignature,  // not signed by the configuration key
  kBadUrl,        // a service URL that parse_service_url() refuses
  kBadDomain,     // an API domain that is not host or host:port
  kBadPin,        // a pin that is not the padded base64 of 32 bytes
  kBadHeader,     // a token header or prefix that cannot stand in an HTTP header
  kWrongAccount,  // an update for another account
  kWrongKey,      // an update that names another configuration key
  kNotNewer,      // an update whose version is not higher: no rollback
  kTooLarge,      // sign_configuration() alone: over kMaxConfigBytes, kMalformed to who reads it
};
std::string_view error_id(ConfigError error);

// SHA-256 digests of DER SubjectPublicKeyInfo. Empty: the platform's trust roots decide.
using PinSet = std::vector<Sha256Digest>;
// Of their padded base64; kBadPin names the text. `where`: what has them, for the message.
Result<PinSet> parse_pins(const std::vector<std::string>& texts, const std::string& where);

struct RetryRules {
  int attempts = 3;  // rounds over all URLs
  std::chrono::milliseconds initial{250};
  std::chrono::milliseconds max{4000};
  std::chrono::milliseconds timeout{10000};  // of one exchange
  bool operator==(const RetryRules&) const = default;
};

struct ApiRule {
  HostPort domain;
  PinSet pins;
  // Asked for in evidence: which keys its tokens are signed with. "": the default.
  std::string key_set = {};
  bool operator==(const ApiRule&) const = default;
};

struct Configuration {
  std::string account = {};
  std::int64_t version = 0;  // from 1
  UnixTime issued = {};      // for people; a client does not look at it
  // Of the service, primary first; decoded without a trailing slash.
  std::vector<std::string> urls = {};
  PinSet service_pins = {};
  RetryRules retry = {};
  std::vector<ApiRule> apis = {};
  std::string token_header = {};
  std::string token_prefix = {};
  crypto::EcKey key;  // its public half verifies this and every later version
};

// The payload, whether or not a client would take it. For comparing; sign_configuration() sends.
Json encode_configuration(const Configuration& configuration);
// A compact JWS by `configuration.key`, which holds its private half. Fails with the ConfigError
// that decode_configuration() would give, so no configuration is made that a client refuses.
Result<std::string> sign_configuration(const Configuration& configuration);

// Verified with its own `config_key`: for the one that comes with the app, whose measurement
// vouches for it.
Result<Configuration> decode_configuration(std::string_view compact);
// Verified with `key`, which it has to name itself (kWrongKey).
Result<Configuration> decode_configuration(std::string_view compact, const crypto::EcKey& key);
// A later version than `current`: as above with its key, and kWrongAccount or kNotNewer.
Result<Configuration> decode_configuration_update(std::string_view compact,
                                                  const Configuration& current);

}  // namespace touchmark::protocol
