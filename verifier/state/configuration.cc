#include "verifier/state/configuration.h"

#include <algorithm>

#include "base/json.h"
#include "crypto/jose.h"
#include "protocol/idn/unicode_host.h"
#include "protocol/limits.h"

namespace touchmark::verifier::state {
namespace {

// Earlier services stored more than an app takes.
constexpr std::size_t kMaxStoredBytes = 16 << 20;

// What a configuration says, except version and time of issue.
Json content_of(Json payload) {
  payload.erase("version");
  payload.erase("issued");
  return payload;
}

Result<Json> payload_of(std::string_view jws, const crypto::EcKey& key) {
  auto opened = crypto::verify_es256(jws, key, protocol::kConfigType, kMaxStoredBytes);
  if (!opened) return pass(opened);
  return std::move(opened->payload);
}

Error too_many(const std::string& what) { return {ApiError::kTooMany, what}; }

}  // namespace

std::string_view error_id(ConfigurationError error) {
  using enum ConfigurationError;
  static constexpr auto kIds = error_table<ConfigurationError>({
      {kMalformed, "configuration.malformed"},
      {kLocalUrl, "configuration.local-url"},
  });
  return kIds[error];
}

std::string_view error_id(ApiError error) {
  using enum ApiError;
  static constexpr auto kIds = error_table<ApiError>({
      {kBadDomain, "api.bad-domain"},
      {kBadPin, "api.bad-pin"},
      {kChanged, "api.changed"},
      {kTooMany, "api.too-many"},
  });
  return kIds[error];
}

Result<protocol::Configuration> configuration_content(const std::string& account,
                                                      const ServiceSettings& settings,
                                                      const std::vector<model::ApiDomain>& apis,
                                                      const crypto::EcKey& config_key) {
  auto service_pins = protocol::parse_pins(settings.service_pins, "the service");
  if (!service_pins) return pass(service_pins);
  protocol::Configuration out{.account = account,
                              .urls = settings.public_urls,
                              .service_pins = std::move(*service_pins),
                              .token_header = settings.token_header,
                              .token_prefix = settings.token_prefix,
                              .key = config_key};
  for (const model::ApiDomain& api : apis) {
    auto domain = protocol::parse_host_port(api.domain);
    if (!domain) {
      return fail(protocol::ConfigError::kBadDomain, "an API has the domain '" + api.domain + "'");
    }
    std::vector<std::string> all = api.pins;
    for (const model::RetiringPin& one : api.retiring) all.push_back(one.pin);
    auto pins = protocol::parse_pins(all, api.domain);
    if (!pins) return pass(pins);
    out.apis.push_back({std::move(*domain), std::move(*pins), api.key_set});
  }
  return out;
}

Result<Configuration> next_configuration(const Configuration& before,
                                         protocol::Configuration content, UnixTime now) {
  if (before.version > 0) {
    // One that an older service made is kept until it has to say something else, even where an app
    // would refuse it: the operator needs a running service to put that right.
    auto said = payload_of(before.jws, content.key);
    if (said && content_of(std::move(*said)) == content_of(encode_configuration(content))) {
      return before;
    }
  }
  if (content.apis.size() > protocol::kMaxApis) {
    return tl::unexpected<Error>(too_many(std::to_string(content.apis.size()) +
                                          " APIs are too many: an app takes at most " +
                                          std::to_string(protocol::kMaxApis)));
  }
  for (const protocol::ApiRule& api : content.apis) {
    if (api.pins.size() <= protocol::kMaxPins) continue;
    return tl::unexpected<Error>(
        too_many("the API " + to_string(api.domain) + " has " + std::to_string(api.pins.size()) +
                 " pins, and an app takes at most " + std::to_string(protocol::kMaxPins)));
  }
  content.version = before.version + 1;
  content.issued = now;
  auto jws = sign_configuration(content);
  if (jws) return Configuration{content.version, std::move(*jws)};
  if (!jws.error().is(protocol::ConfigError::kTooLarge)) return pass(jws);
  return tl::unexpected<Error>(too_many("too many APIs and pins: " + jws.error().message()));
}

Result<Configuration> parse_configuration(std::string_view jws, const crypto::EcKey& key) {
  auto payload = payload_of(jws, key);
  if (!payload) return fail(ConfigurationError::kMalformed, payload.error().message());
  auto version = get_int(*payload, "version", 1, protocol::kMaxInteger);
  if (!version) return fail(ConfigurationError::kMalformed, version.error().message());
  return Configuration{*version, std::string(jws)};
}

std::int64_t version_after_unreadable(std::string_view jws, UnixTime now) {
  // Versions count up from 1, so the time is above any that was counted.
  std::int64_t out = to_unix(now);
  const auto opened = crypto::parse_jws(jws, kMaxStoredBytes);
  if (!opened) return out;
  const auto stated = get_int(opened->payload, "version", 1, protocol::kMaxInteger / 2);
  return stated ? std::max(out, *stated) : out;
}

Result<model::ApiDomain> normalize_api(const model::ApiDomain& api) {
  const auto domain = protocol::parse_unicode_host_port(api.domain);
  if (!domain) {
    return fail(ApiError::kBadDomain, "\"" + api.domain + "\" is not a host or host:port");
  }
  const std::size_t count = api.pins.size() + api.retiring.size();
  if (count > protocol::kMaxPins) {
    return fail(ApiError::kBadPin, std::to_string(count) +
                                       " pins are too many: an API has at most " +
                                       std::to_string(protocol::kMaxPins));
  }
  for (const std::string& pin : api.pins) {
    if (!protocol::parse_pins({pin}, api.domain)) {
      return fail(ApiError::kBadPin, "\"" + pin + "\" is not the padded base64 of a SHA-256");
    }
  }
  return model::ApiDomain{to_string(*domain), api.pins, api.retiring, api.key_set};
}

}  // namespace touchmark::verifier::state
