// What operators change and read, but for the registrations (service_registrations.cc).
#include <algorithm>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "protocol/arc.h"
#include "protocol/device_id.h"
#include "verifier/service_impl.h"

namespace touchmark::verifier {

Result<void> ServiceImpl::audited(const std::string& actor, const std::string& action,
                                  const std::string& detail,
                                  const std::function<Result<void>()>& change) {
  return store_.atomically([&]() -> Result<void> {
    if (auto ok = change(); !ok) return ok;
    return store_.audit({clock_.now(), actor, action, detail, {}});
  });
}

Result<store::ApiDomain> ServiceImpl::put_api(const store::ApiDomain& api,
                                              const std::string& actor) {
  auto normal = state::normalize_api(api);
  if (!normal) return pass(normal);
  auto changed =
      change_apis(actor, "api.put", normal->domain, [&] { return store_.put_api(*normal); });
  if (!changed) return pass(changed);
  return normal;
}

Result<void> ServiceImpl::remove_api(const std::string& domain, const std::string& actor) {
  auto normal = state::normalize_api({domain, {}});
  if (!normal) return pass(normal);
  return change_apis(actor, "api.remove", normal->domain,
                     [&] { return store_.remove_api(normal->domain); });
}

Result<void> ServiceImpl::change_apis(const std::string& actor, const std::string& action,
                                      const std::string& domain,
                                      const std::function<Result<void>()>& change) {
  const std::lock_guard lock(changes_);
  state::Configuration renewed;
  auto changed = audited(actor, action, domain, [&]() -> Result<void> {
    if (auto ok = change(); !ok) return ok;
    auto configuration = renew_configuration();
    if (!configuration) return pass(configuration);
    renewed = std::move(*configuration);
    return {};
  });
  if (!changed) return changed;
  configuration_.set(std::make_shared<state::Configuration>(std::move(renewed)));
  return {};
}

// Signs what the store and the settings say, and puts it into the store when it says something new.
Result<state::Configuration> ServiceImpl::renew_configuration() {
  auto apis = store_.apis();
  if (!apis) return pass(apis);
  const auto before = configuration_.get();
  auto content =
      state::configuration_content(keyring_.account, settings_, *apis, keyring_.config_key);
  if (!content) return pass(content);
  auto next = state::next_configuration(*before, std::move(*content), clock_.now());
  if (!next || next->version == before->version) return next;
  if (auto ok = store_.put(kConfigurationName, as_bytes(next->jws)); !ok) return pass(ok);
  return next;
}

// --- What an operator reads ----------------------------------------------------------------------

Result<TokenSecrets> ServiceImpl::token_secrets(const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto noted = audited(actor, "secret.read", "token secret", [] { return Result<void>(); });
  if (!noted) return pass(noted);
  return TokenSecrets{mint_.secret(), mint_.decoy_secret()};
}

Result<std::string> ServiceImpl::example_token(bool valid, const std::string& ip,
                                               const std::string& actor) {
  const std::lock_guard lock(changes_);
  auto noted =
      audited(actor, "token.example", valid ? "valid" : "invalid", [] { return Result<void>(); });
  if (!noted) return pass(noted);
  const crypto::EcKey key = crypto::EcKey::generate();
  const appraisal::TokenFacts facts{protocol::device_id(key), ip, std::nullopt,
                                    protocol::encode_arc({}), {}, key.public_der()};
  return mint_.mint(valid, facts, clock_.now(), random_);
}

Json ServiceImpl::policy_settings() {
  return {{"allow_host_builds", settings_.allow_host_builds},
          {"reveal_reasons", settings_.reveal_reasons},
          {"channel_binding", settings_.tls_ended_by_proxy ? "proxy" : "tls"},
          {"token",
           {{"alg", "HS256"},
            {"lifetime", settings_.token_lifetime.count()},
            {"header", settings_.token_header},
            {"prefix", settings_.token_prefix},
            {"extra_claims", settings_.extra_claims}}},
          {"challenge_lifetime", settings_.challenge_lifetime.count()}};
}

Json ServiceImpl::status() {
  return {{"version", TOUCHMARK_VERSION},
          {"account", keyring_.account},
          {"first_start", to_unix(keyring_.first_start)},
          {"time", to_unix(clock_.now())},
          {"config_version", configuration_.get()->version},
          {"registrations", references_.get()->size()}};
}

Result<Json> ServiceImpl::audit_log(std::size_t limit) {
  auto entries = store_.audit_log(limit);
  if (!entries) return pass(entries);
  auto verified = store_.verify_audit();
  if (!verified && !verified.error().is(store::StoreError::kCorrupt)) return pass(verified);
  Json out{{"entries", Json::array()}, {"intact", verified.has_value()}};
  for (const store::AuditEntry& entry : *entries) {
    out["entries"].push_back({{"time", to_unix(entry.time)},
                              {"actor", entry.actor},
                              {"action", entry.action},
                              {"detail", entry.detail},
                              {"hash", hex_encode(entry.hash)}});
  }
  return out;
}

// --- Operators -----------------------------------------------------------------------------------

Result<std::string> ServiceImpl::make_operator_token(const std::string& name, store::Role role) {
  const std::string token =
      "tmk_" + std::string(to_string(role)) + "_" + base64url_encode(random_.bytes(32));
  const std::lock_guard lock(changes_);
  auto stored = audited("touchmark serve", "operator-token.make", name, [&] {
    return store_.put_operator_token({name, role, crypto::sha256(as_bytes(token))});
  });
  if (!stored) return pass(stored);
  if (auto ok = reload_operators(); !ok) return pass(ok);
  return token;
}

Result<void> ServiceImpl::reload_operators() {
  auto tokens = store_.operator_tokens();
  if (!tokens) return pass(tokens);
  operators_.set(std::make_shared<std::vector<store::OperatorToken>>(std::move(*tokens)));
  return {};
}

std::optional<store::OperatorToken> ServiceImpl::authenticate(std::string_view bearer) {
  // 256 random bits: their hash needs no salt, and no stretching.
  const Sha256Digest hash = crypto::sha256(as_bytes(bearer));
  std::optional<store::OperatorToken> found;
  for (const store::OperatorToken& token : *operators_.get()) {
    if (crypto::constant_time_equal(token.token_sha256, hash)) found = token;
  }
  return found;
}

Result<void> ServiceImpl::flush() {
  const auto records = devices_.take();
  if (!records.empty()) {
    if (auto ok = store_.put_devices(records); !ok) return ok;
  }
  return policies_.flush();
}

}  // namespace touchmark::verifier
