#include "protocol/messages/configuration.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "protocol/limits.h"
#include "protocol/messages/reader.h"

namespace touchmark::protocol {
namespace {

namespace in_configuration {
constexpr const char* kAccount = "account";
constexpr const char* kVersion = "version";
constexpr const char* kIssued = "issued";
constexpr const char* kService = "service";
constexpr const char* kUrls = "urls";
constexpr const char* kPins = "pins";
constexpr const char* kRetry = "retry";
constexpr const char* kAttempts = "attempts";
constexpr const char* kInitialMs = "initial_ms";
constexpr const char* kMaxMs = "max_ms";
constexpr const char* kTimeoutMs = "timeout_ms";
constexpr const char* kApi = "api";
constexpr const char* kDomain = "domain";
constexpr const char* kKeySet = "keyset";
constexpr const char* kToken = "token";
constexpr const char* kHeader = "header";
constexpr const char* kPrefix = "prefix";
constexpr const char* kConfigKey = "config_key";
}  // namespace in_configuration

tl::unexpected<Error> malformed(const Error& reason) {
  return fail(ConfigError::kMalformed, reason.text());
}

// --- Encoder -------------------------------------------------------------------------------------

Json pins_json(const PinSet& pins) {
  Json out = Json::array();
  for (const Sha256Digest& pin : pins) out.push_back(base64_encode(pin));
  return out;
}

Json apis_json(const std::vector<ApiRule>& apis) {
  Json out = Json::array();
  for (const ApiRule& api : apis) {
    Json rule{{in_configuration::kDomain, to_string(api.domain)},
              {in_configuration::kPins, pins_json(api.pins)}};
    if (!api.key_set.empty()) rule[in_configuration::kKeySet] = api.key_set;
    out.push_back(std::move(rule));
  }
  return out;
}

// --- Decoder -------------------------------------------------------------------------------------

std::optional<Sha256Digest> parse_pin(std::string_view text) {
  const Result<Bytes> bytes = base64_decode(text);
  Sha256Digest pin{};
  if (!bytes || bytes->size() != pin.size()) return std::nullopt;
  std::ranges::copy(*bytes, pin.begin());
  return pin;
}

Error bad_pin(const std::string& where, const std::string& shown) {
  return {ConfigError::kBadPin,
          where + " has the pin " + shown + ", which is not the padded base64 of 32 bytes"};
}

PinSet read_pins(Reader& reader, const std::string& where) {
  PinSet pins;
  for (const JsonView item : reader.array(in_configuration::kPins, kMaxPins)) {
    const auto pin = item.is_string() ? parse_pin(std::string(item.text())) : std::nullopt;
    if (!pin) reader.fault().keep(bad_pin(where, dump_json(item.to_json())));
    pins.push_back(pin.value_or(Sha256Digest{}));
  }
  return pins;
}

void read_service(Reader service, Configuration& out) {
  const JsonView urls = service.array(in_configuration::kUrls, kMaxUrls);
  if (urls.size() == 0) service.fault().malformed("service.urls has no URL");
  for (const JsonView item : urls) {
    std::string url(item.is_string() ? item.text() : "");
    if (!item.is_string() || !parse_service_url(url)) {
      service.fault().keep({ConfigError::kBadUrl, "service.urls has " + dump_json(item.to_json())});
      return;
    }
    while (url.ends_with('/')) url.pop_back();
    out.urls.push_back(std::move(url));
  }
  out.service_pins = read_pins(service, "service");
}

RetryRules read_retry(Reader retry) {
  const auto milliseconds = [&retry](const char* name, std::int64_t min) {
    return std::chrono::milliseconds(retry.integer(name, min, kMaxRetryMs));
  };
  RetryRules out;
  out.attempts = static_cast<int>(retry.integer(in_configuration::kAttempts, 1, kMaxAttempts));
  out.initial = milliseconds(in_configuration::kInitialMs, 0);
  out.max = milliseconds(in_configuration::kMaxMs, 0);
  out.timeout = milliseconds(in_configuration::kTimeoutMs, kMinTimeoutMs);
  return out;
}

std::vector<ApiRule> read_apis(Reader& reader) {
  std::vector<ApiRule> out;
  for (const JsonView item : reader.array(in_configuration::kApi, kMaxApis)) {
    Reader api(item, reader.fault());
    const std::string domain = api.text(in_configuration::kDomain, kMaxDomain);
    auto host = parse_host_port(domain);
    if (!host) {
      reader.fault().keep({ConfigError::kBadDomain, "api has the domain '" + domain + "'"});
      break;
    }
    PinSet pins = read_pins(api, domain);
    std::string key_set;
    if (api.has(in_configuration::kKeySet)) {
      key_set = api.text(in_configuration::kKeySet, kMaxKeySetName);
    }
    out.push_back({std::move(*host), std::move(pins), std::move(key_set)});
  }
  return out;
}

// RFC 9110 section 5.6.2.
bool is_header_name(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [kMarks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

void read_token(Reader token, Configuration& out) {
  out.token_header = token.text(in_configuration::kHeader, kMaxHeaderText);
  out.token_prefix = token.text(in_configuration::kPrefix, kMaxHeaderText);
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!is_header_name(out.token_header) || !std::ranges::all_of(out.token_prefix, printable)) {
    token.fault().keep(
        {ConfigError::kBadHeader, "token.header or token.prefix cannot stand in a header"});
  }
}

Result<crypto::EcKey> read_key(const Json& payload) {
  const Json* jwk = find_object(payload, in_configuration::kConfigKey);
  if (jwk == nullptr) return fail(ConfigError::kMalformed, "config_key is not an object");
  Result<crypto::EcKey> key = crypto::from_jwk(*jwk);
  if (!key) return malformed(key.error());
  return key;
}

Result<Configuration> read_payload(const Json& json, crypto::EcKey key) {
  const JsonDocument document(json);
  const JsonView payload = document.root();
  Configuration out{.key = std::move(key)};
  Fault fault(ConfigError::kMalformed);
  Reader reader(payload, fault);
  out.account = reader.text(in_configuration::kAccount, kMaxAccount);
  out.version = reader.integer(in_configuration::kVersion, 1, kMaxInteger);
  out.issued = from_unix(get_int(payload, in_configuration::kIssued, 0, kMaxInteger).value_or(0));
  read_service(reader.object(in_configuration::kService), out);
  if (reader.has_object(in_configuration::kRetry))
    out.retry = read_retry(reader.object(in_configuration::kRetry));
  out.apis = read_apis(reader);
  read_token(reader.object(in_configuration::kToken), out);
  if (fault) return fault.pass();
  return out;
}

Result<Json> verify(std::string_view compact, const crypto::EcKey& key) {
  Result<crypto::Jws> jws = crypto::verify_es256(compact, key, kConfigType, kMaxConfigBytes);
  if (jws) return std::move(jws->payload);
  if (jws.error().is(crypto::JoseError::kBadSignature)) {
    return fail(ConfigError::kBadSignature, "the configuration key did not sign this");
  }
  return malformed(jws.error());
}

}  // namespace

std::string_view error_id(ConfigError error) {
  using enum ConfigError;
  static constexpr auto kIds = error_table<ConfigError>({
      {kMalformed, "config.malformed"},
      {kBadSignature, "config.bad-signature"},
      {kBadUrl, "config.bad-url"},
      {kBadDomain, "config.bad-domain"},
      {kBadPin, "config.bad-pin"},
      {kBadHeader, "config.bad-header"},
      {kWrongAccount, "config.wrong-account"},
      {kWrongKey, "config.wrong-key"},
      {kNotNewer, "config.not-newer"},
      {kTooLarge, "config.too-large"},
  });
  return kIds[error];
}

Result<PinSet> parse_pins(const std::vector<std::string>& texts, const std::string& where) {
  PinSet out;
  for (const std::string& text : texts) {
    const auto pin = parse_pin(text);
    if (!pin) return tl::unexpected<Error>(bad_pin(where, "\"" + text + "\""));
    out.push_back(*pin);
  }
  return out;
}

Json encode_configuration(const Configuration& configuration) {
  const RetryRules& retry = configuration.retry;
  return {{in_configuration::kAccount, configuration.account},
          {in_configuration::kVersion, configuration.version},
          {in_configuration::kIssued, to_unix(configuration.issued)},
          {in_configuration::kService,
           {{in_configuration::kUrls, configuration.urls},
            {in_configuration::kPins, pins_json(configuration.service_pins)}}},
          {in_configuration::kRetry,
           {{in_configuration::kAttempts, retry.attempts},
            {in_configuration::kInitialMs, retry.initial.count()},
            {in_configuration::kMaxMs, retry.max.count()},
            {in_configuration::kTimeoutMs, retry.timeout.count()}}},
          {in_configuration::kApi, apis_json(configuration.apis)},
          {in_configuration::kToken,
           {{in_configuration::kHeader, configuration.token_header},
            {in_configuration::kPrefix, configuration.token_prefix}}},
          {in_configuration::kConfigKey, crypto::to_jwk(configuration.key)}};
}

Result<std::string> sign_configuration(const Configuration& configuration) {
  std::string compact = crypto::sign_es256(encode_configuration(configuration), configuration.key,
                                           {{"typ", kConfigType}});
  if (compact.size() > kMaxConfigBytes) {
    return fail(ConfigError::kTooLarge, "the configuration has " + std::to_string(compact.size()) +
                                            " bytes, more than the " +
                                            std::to_string(kMaxConfigBytes) + " that an app takes");
  }
  if (const auto taken = decode_configuration(compact, configuration.key); !taken) {
    return pass(taken);
  }
  return compact;
}

Result<Configuration> decode_configuration(std::string_view compact) {
  const Result<crypto::Jws> unverified = crypto::parse_jws(compact, kMaxConfigBytes);
  if (!unverified) return malformed(unverified.error());
  const Result<crypto::EcKey> key = read_key(unverified->payload);
  if (!key) return pass(key);
  return decode_configuration(compact, *key);
}

Result<Configuration> decode_configuration(std::string_view compact, const crypto::EcKey& key) {
  const Result<Json> payload = verify(compact, key);
  if (!payload) return pass(payload);
  Result<crypto::EcKey> named = read_key(*payload);
  if (!named) return pass(named);
  if (named->public_der() != key.public_der()) {
    return fail(ConfigError::kWrongKey, "the configuration names another configuration key");
  }
  return read_payload(*payload, std::move(*named));
}

Result<Configuration> decode_configuration_update(std::string_view compact,
                                                  const Configuration& current) {
  Result<Configuration> update = decode_configuration(compact, current.key);
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

}  // namespace touchmark::protocol
