#include "attester/core/config.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"
#include "crypto/jose.h"

namespace touchmark::attester {
namespace {

constexpr std::string_view kType = "touchmark-config+jwt";
constexpr std::size_t kMaxUrls = 16;
constexpr std::size_t kMaxApis = 256;
constexpr std::size_t kMaxPins = 16;

tl::unexpected<Error> malformed(const Error& reason) {
  return fail(ConfigError::kMalformed, reason.text());
}

Result<PinSet> parse_pins(const Json& object, const char* where) {
  const Json* list = find_array(object, "pins");
  if (list == nullptr || list->size() > kMaxPins) {
    return fail(ConfigError::kMalformed, std::string(where) + ".pins is not a list of pins");
  }
  PinSet pins;
  for (const Json& item : *list) {
    const auto* text = item.get_ptr<const std::string*>();
    const Result<Bytes> bytes = base64_decode(text == nullptr ? std::string_view() : *text);
    Sha256Digest pin;
    if (text == nullptr || !bytes || bytes->size() != pin.size()) {
      return fail(ConfigError::kBadPin, std::string(where) + ".pins has " + dump_json(item) +
                                            ", which is not the padded base64 of 32 bytes");
    }
    std::ranges::copy(*bytes, pin.begin());
    pins.push_back(pin);
  }
  return pins;
}

Result<void> read_service(const Json& payload, Config& out) {
  const Json* service = find_object(payload, "service");
  const Json* urls = service == nullptr ? nullptr : find_array(*service, "urls");
  if (urls == nullptr || urls->empty() || urls->size() > kMaxUrls) {
    return fail(ConfigError::kMalformed, "service.urls is not a list of URLs");
  }
  for (const Json& item : *urls) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr || !parse_https_url(*text)) {
      return fail(ConfigError::kBadUrl, "service.urls has " + dump_json(item));
    }
    std::string url = *text;
    while (url.ends_with('/')) url.pop_back();
    out.urls.push_back(std::move(url));
  }
  Result<PinSet> pins = parse_pins(*service, "service");
  if (!pins) return pass(pins);
  out.service_pins = std::move(*pins);
  return {};
}

Result<void> read_retry(const Json& payload, RetryRules& out) {
  const Json* retry = find_object(payload, "retry");
  if (retry == nullptr) return {};  // the defaults
  const auto milliseconds = [retry](const char* name, std::chrono::milliseconds& value,
                                    std::int64_t min) -> Result<void> {
    const Result<std::int64_t> number = get_int(*retry, name, min, 120'000);
    if (!number) return malformed(number.error());
    value = std::chrono::milliseconds(*number);
    return {};
  };
  const Result<std::int64_t> attempts = get_int(*retry, "attempts", 1, 10);
  if (!attempts) return malformed(attempts.error());
  out.attempts = static_cast<int>(*attempts);
  if (auto r = milliseconds("initial_ms", out.initial, 0); !r) return r;
  if (auto r = milliseconds("max_ms", out.max, 0); !r) return r;
  return milliseconds("timeout_ms", out.timeout, 100);
}

Result<void> read_apis(const Json& payload, std::vector<ApiRule>& out) {
  const Json* list = find_array(payload, "api");
  if (list == nullptr || list->size() > kMaxApis) {
    return fail(ConfigError::kMalformed, "api is not a list of domains");
  }
  for (const Json& item : *list) {
    const Result<std::string> domain = get_string(item, "domain", 300);
    if (!domain) return malformed(domain.error());
    const std::optional<HostPort> host = parse_host(*domain);
    if (!host) return fail(ConfigError::kBadDomain, "api has the domain '" + *domain + "'");
    Result<PinSet> pins = parse_pins(item, "api");
    if (!pins) return pass(pins);
    out.push_back({*host, std::move(*pins)});
  }
  return {};
}

// RFC 9110 section 5.6.2.
bool is_header_name(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [kMarks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

Result<void> read_token(const Json& payload, Config& out) {
  const Json* token = find_object(payload, "token");
  if (token == nullptr) return fail(ConfigError::kMalformed, "token is not an object");
  Result<std::string> header = get_string(*token, "header", 128);
  if (!header) return malformed(header.error());
  Result<std::string> prefix = get_string(*token, "prefix", 128);
  if (!prefix) return malformed(prefix.error());
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!is_header_name(*header) || !std::ranges::all_of(*prefix, printable)) {
    return fail(ConfigError::kBadHeader, "token.header or token.prefix cannot stand in a header");
  }
  out.token_header = std::move(*header);
  out.token_prefix = std::move(*prefix);
  return {};
}

Result<crypto::EcKey> read_key(const Json& payload) {
  const Json* jwk = find_object(payload, "config_key");
  if (jwk == nullptr) return fail(ConfigError::kMalformed, "config_key is not an object");
  Result<crypto::EcKey> key = crypto::from_jwk(*jwk);
  if (!key) return malformed(key.error());
  return key;
}

Result<Config> read_payload(const Json& payload, crypto::EcKey key, std::string_view compact) {
  Config out{.compact = std::string(compact), .key = std::move(key)};
  Result<std::string> account = get_string(payload, "account", 128);
  if (!account) return malformed(account.error());
  out.account = std::move(*account);
  const Result<std::int64_t> version =
      get_int(payload, "version", 1, std::numeric_limits<std::int64_t>::max());
  if (!version) return malformed(version.error());
  out.version = *version;
  if (auto r = read_service(payload, out); !r) return pass(r);
  if (auto r = read_retry(payload, out.retry); !r) return pass(r);
  if (auto r = read_apis(payload, out.apis); !r) return pass(r);
  if (auto r = read_token(payload, out); !r) return pass(r);
  return out;
}

Result<crypto::Jws> verify(std::string_view compact, const crypto::EcKey& key) {
  Result<crypto::Jws> jws = crypto::verify_es256(compact, key, kType, kMaxConfigBytes);
  if (jws) return jws;
  if (jws.error().is(crypto::JoseError::kBadSignature)) {
    return fail(ConfigError::kBadSignature, "the configuration key did not sign this");
  }
  return malformed(jws.error());
}

}  // namespace

Result<Config> parse_initial_config(std::string_view compact) {
  const Result<crypto::Jws> unverified = crypto::parse_jws(compact, kMaxConfigBytes);
  if (!unverified) return malformed(unverified.error());
  Result<crypto::EcKey> key = read_key(unverified->payload);
  if (!key) return pass(key);
  const Result<crypto::Jws> jws = verify(compact, *key);
  if (!jws) return pass(jws);
  return read_payload(jws->payload, std::move(*key), compact);
}

Result<Config> parse_config_update(const Config& current, std::string_view compact) {
  const Result<crypto::Jws> jws = verify(compact, current.key);
  if (!jws) return pass(jws);
  Result<crypto::EcKey> key = read_key(jws->payload);
  if (!key) return pass(key);
  if (key->public_der() != current.key.public_der()) {
    return fail(ConfigError::kWrongKey, "the update names another configuration key");
  }
  Result<Config> update = read_payload(jws->payload, std::move(*key), compact);
  if (!update) return update;
  if (update->account != current.account) {
    return fail(ConfigError::kWrongAccount, "the update is for account '" + update->account + "'");
  }
  if (update->version <= current.version) {
    return fail(ConfigError::kNotNewer, "version " + std::to_string(update->version) +
                                            " is not above " + std::to_string(current.version));
  }
  return update;
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
