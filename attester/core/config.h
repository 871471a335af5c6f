// The signed configuration as the SDK uses it; protocol/messages/configuration.h reads it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "attester/core/error.h"
#include "base/bytes.h"
#include "protocol/messages/configuration.h"

namespace touchmark::attester {

using protocol::ApiRule;
using protocol::ConfigError;
using protocol::HostPort;
using protocol::PinSet;
using protocol::RetryRules;

// Immutable once parsed, so it is shared between threads by pointer to const.
struct Config : protocol::Configuration {
  std::string compact;  // as received
};

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
