#include "attester/core/config.h"

#include <algorithm>

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

const ApiRule* find_api(const Config& config, const HostPort& host) {
  const ApiRule* found = nullptr;
  for (const ApiRule& api : config.apis) {
    if (api.domain.host != host.host) continue;
    if (api.domain.port == host.port) return &api;
    if (api.domain.port && host.port) continue;
    if (found == nullptr || !api.domain.port) found = &api;
  }
  return found;
}

bool pins_allow(const PinSet& pins, std::span<const Sha256Digest> chain) {
  if (pins.empty()) return true;
  return std::ranges::any_of(chain, [&pins](const Sha256Digest& digest) {
    return std::ranges::find(pins, digest) != pins.end();
  });
}

bool host_allows(const Config& config, const HostPort& host, std::span<const Sha256Digest> chain) {
  if (host.port) {
    const ApiRule* api = find_api(config, host);
    return api == nullptr || pins_allow(api->pins, chain);
  }
  bool pinned = false;
  for (const ApiRule& api : config.apis) {
    if (api.domain.host != host.host) continue;
    if (pins_allow(api.pins, chain)) return true;
    pinned = true;
  }
  return !pinned;
}

}  // namespace touchmark::attester
