// The signed configuration: an asset of the app at first, then what the service sends over the air.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attester/core/error.h"
#include "attester/core/host.h"
#include "base/bytes.h"
#include "crypto/crypto.h"

namespace touchmark::attester {

// SHA-256 digests of DER SubjectPublicKeyInfo. Empty: the platform's trust roots decide.
using PinSet = std::vector<Sha256Digest>;

struct RetryRules {
  int attempts = 3;  // rounds over all URLs
  std::chrono::milliseconds initial{250};
  std::chrono::milliseconds max{4000};
  std::chrono::milliseconds timeout{10000};  // of one exchange
};

struct ApiRule {
  HostPort domain;
  PinSet pins;
};

// Immutable once parsed, so it is shared between threads by pointer to const.
struct Config {
  std::string compact;  // as received
  std::string account = {};
  std::int64_t version = 0;
  std::vector<std::string> urls = {};  // primary first, without a trailing slash
  PinSet service_pins = {};
  RetryRules retry = {};
  std::vector<ApiRule> apis = {};
  std::string token_header = {};
  std::string token_prefix = {};
  crypto::EcKey key;  // verifies this and every later version
};

inline constexpr std::size_t kMaxConfigBytes = 192 * 1024;

// The configuration that came with the app: verified with its own `config_key`, since the app's
// measurement vouches for it.
Result<Config> parse_initial_config(std::string_view compact);

// A later version: signed by `current`'s key, naming the same key, for the same account and with a
// higher version.
Result<Config> parse_config_update(const Config& current, std::string_view compact);

// The rule for a host, or nullptr. A rule without a port stands for every port, one with a port
// only for that; the more exact one wins. A host named without a port meets the rules of all its
// ports, so that a caller who does not know the port cannot miss the pins.
const ApiRule* find_api(const Config& config, const HostPort& host);

// Whether a connection may go on whose chain has these SPKI digests, leaf first.
bool pins_allow(const PinSet& pins, std::span<const Sha256Digest> chain);

// The same for a host by its rule; a host without a rule is not pinned. A host named without a port
// must meet the pins of one of its ports.
bool host_allows(const Config& config, const HostPort& host, std::span<const Sha256Digest> chain);

}  // namespace touchmark::attester
