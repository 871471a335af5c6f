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

// Whether a rule names this host. A rule without a port stands for every port, one with a port only
// for that. A host named without a port is named by any rule of it.
bool is_api(const Config& config, const HostPort& host);

// The pins of a connection to `host`; empty where it is not pinned. They are those of the rule for
// its very port, else of the rule for every port: a rule without pins leaves its own port to the
// platform's trust roots and no other. Where the port is not known (none is named), they are the
// pins of all rules of the host, so that no rule without pins takes them from another one's port.
PinSet pins_of(const Config& config, const HostPort& host);

// The keyset of the tokens for `host`: of the rule for its very port, else of the rule for every
// port. Empty: the default one.
std::string key_set_of(const Config& config, const HostPort& host);

// Whether a connection may go on for which these keys vouch, by their SPKI digests.
bool pins_allow(const PinSet& pins, std::span<const Sha256Digest> keys);

}  // namespace touchmark::attester
