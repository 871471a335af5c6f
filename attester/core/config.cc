#include "attester/core/config.h"

#include <algorithm>
#include <iterator>

namespace touchmark::attester {
namespace {

Result<Config> with_text(Result<protocol::Configuration> decoded, std::string_view compact) {
  if (!decoded) return pass(decoded);
  return Config{std::move(*decoded), std::string(compact)};
}

}  // namespace

Result<Config> parse_initial_config(std::string_view compact) {
  return with_text(protocol::decode_configuration(compact), compact);
}

Result<Config> parse_config_update(const Config& current, std::string_view compact) {
  return with_text(protocol::decode_configuration_update(compact, current), compact);
}

bool is_api(const Config& config, const HostPort& host) {
  return std::ranges::any_of(config.apis, [&host](const ApiRule& api) {
    return api.domain.host == host.host &&
           (!host.port || !api.domain.port || api.domain.port == host.port);
  });
}

PinSet pins_of(const Config& config, const HostPort& host) {
  PinSet of_port;   // of the rules for its very port
  PinSet of_every;  // of those for every port
  PinSet of_all;
  bool has_own_rule = false;
  for (const ApiRule& api : config.apis) {
    if (api.domain.host != host.host) continue;
    const bool own = api.domain.port && api.domain.port == host.port;
    has_own_rule = has_own_rule || own;
    if (own) std::ranges::copy(api.pins, std::back_inserter(of_port));
    if (!api.domain.port) std::ranges::copy(api.pins, std::back_inserter(of_every));
    std::ranges::copy(api.pins, std::back_inserter(of_all));
  }
  if (!host.port) return of_all;
  return has_own_rule ? of_port : of_every;
}

std::string key_set_of(const Config& config, const HostPort& host) {
  std::string of_every;
  for (const ApiRule& api : config.apis) {
    if (api.domain.host != host.host) continue;
    if (api.domain.port == host.port) return api.key_set;
    if (!api.domain.port) of_every = api.key_set;
  }
  return of_every;
}

bool pins_allow(const PinSet& pins, std::span<const Sha256Digest> keys) {
  if (pins.empty()) return true;
  return std::ranges::any_of(keys, [&pins](const Sha256Digest& digest) {
    return std::ranges::find(pins, digest) != pins.end();
  });
}

}  // namespace touchmark::attester
