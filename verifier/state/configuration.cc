#include "verifier/state/configuration.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/jose.h"

namespace touchmark::verifier::state {
namespace {

constexpr std::string_view kType = "touchmark-config+jwt";
constexpr std::int64_t kMaxVersion = std::int64_t{1} << 53;
constexpr std::size_t kMaxPins = 32;

Result<Json> payload_of(std::string_view jws, const crypto::EcKey& key) {
  auto opened = crypto::verify_es256(jws, key, kType);
  if (!opened) return pass(opened);
  return std::move(opened->payload);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return false;
  return std::stoi(std::string(text)) <= 65535;
}

}  // namespace

std::string_view error_id(ConfigurationError error) {
  using enum ConfigurationError;
  static constexpr auto kIds = error_table<ConfigurationError>({
      {kMalformed, "configuration.malformed"},
  });
  return kIds[error];
}

std::string_view error_id(ApiError error) {
  using enum ApiError;
  static constexpr auto kIds = error_table<ApiError>({
      {kBadDomain, "api.bad-domain"},
      {kBadPin, "api.bad-pin"},
  });
  return kIds[error];
}

Json configuration_content(const std::string& account, const ServiceSettings& settings,
                           const std::vector<model::ApiDomain>& apis,
                           const crypto::EcKey& config_key) {
  Json api = Json::array();
  for (const model::ApiDomain& one : apis)
    api.push_back({{"domain", one.domain}, {"pins", one.pins}});
  return {
      {"account", account},
      {"service", {{"urls", settings.public_urls}, {"pins", settings.service_pins}}},
      {"retry", {{"attempts", 3}, {"initial_ms", 250}, {"max_ms", 4000}, {"timeout_ms", 10000}}},
      {"api", api},
      {"token", {{"header", settings.token_header}, {"prefix", settings.token_prefix}}},
      {"config_key", crypto::to_jwk(config_key)}};
}

Configuration next_configuration(const Configuration& before, const Json& content,
                                 const crypto::EcKey& key, UnixTime now) {
  if (before.version > 0) {
    auto said = payload_of(before.jws, key);
    if (said) {
      said->erase("version");
      said->erase("issued");
      if (*said == content) return before;
    }
  }
  Json payload = content;
  payload["version"] = before.version + 1;
  payload["issued"] = to_unix(now);
  return {before.version + 1, crypto::sign_es256(payload, key, {{"typ", kType}})};
}

Result<Configuration> parse_configuration(std::string_view jws, const crypto::EcKey& key) {
  auto payload = payload_of(jws, key);
  if (!payload) return fail(ConfigurationError::kMalformed, payload.error().message());
  auto version = get_int(*payload, "version", 1, kMaxVersion);
  if (!version) return fail(ConfigurationError::kMalformed, version.error().message());
  return Configuration{*version, std::string(jws)};
}

Result<model::ApiDomain> normalize_api(const model::ApiDomain& api) {
  model::ApiDomain out = api;
  std::ranges::transform(out.domain, out.domain.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::size_t colon = out.domain.find(':');
  const std::string_view host = std::string_view(out.domain).substr(0, colon);
  const bool port_ok = colon == std::string::npos || is_port(out.domain.substr(colon + 1));
  if (host.empty() || host.size() > 253 || !port_ok ||
      !std::ranges::all_of(host, is_host_character)) {
    return fail(ApiError::kBadDomain, "\"" + api.domain + "\" is not a host or host:port");
  }
  if (api.pins.size() > kMaxPins) {
    return fail(ApiError::kBadPin, std::to_string(api.pins.size()) + " pins are too many");
  }
  for (const std::string& pin : api.pins) {
    const auto digest = base64_decode(pin);
    if (!digest || digest->size() != sizeof(Sha256Digest)) {
      return fail(ApiError::kBadPin, "\"" + pin + "\" is not the padded base64 of a SHA-256");
    }
  }
  return out;
}

}  // namespace touchmark::verifier::state
