// App Attest in the appraisal of hardware evidence. The installation key is one of the Secure
// Enclave; an App Attest key, which can sign nothing but assertions, vouches for it.
#include <algorithm>

#include "base/encoding.h"
#include "protocol/hardware_binding.h"
#include "verifier/appraisal/device_evidence.h"
#include "verifier/appraisal/device_facts.h"

namespace touchmark::verifier::appraisal {
namespace {

using evidence::AppAttestError;
using protocol::Finding;
using protocol::FindingId;

constexpr std::size_t kMaxObjectText = 90 * 1024;  // kMaxAppAttestBytes in base64

enum class AppAttestSubmodError { kUnknownKey, kForeignNonce, kNotFresh };
std::string_view error_id(AppAttestSubmodError error) {
  using enum AppAttestSubmodError;
  static constexpr auto kIds = error_table<AppAttestSubmodError>({
      {kUnknownKey, "app-attest.unknown-key"},
      {kForeignNonce, "app-attest.foreign-nonce"},
      {kNotFresh, "app-attest.not-fresh"},
  });
  return kIds[error];
}

Result<std::optional<Bytes>> read_object(const Json& submod, const char* name) {
  if (!submod.contains(name)) return std::nullopt;
  const auto text = get_string(submod, name, kMaxObjectText);
  auto bytes = text ? base64_decode(*text) : Result<Bytes>(tl::unexpected<Error>(text.error()));
  if (!bytes) return fail(SubmodError::kMalformed, std::string(name) + " is not base64");
  return std::move(*bytes);
}

Result<AppAttestSubmod> read_submod(const Json& submod) {
  if (!submod.is_object()) {
    return fail(SubmodError::kMalformed, "app-attest is not an object");
  }
  AppAttestSubmod out;
  auto key_id = read_object(submod, "key_id");
  if (!key_id) return pass(key_id);
  if (!*key_id || (*key_id)->size() != out.key_id.size()) {
    return fail(SubmodError::kMalformed, "key_id is not 32 bytes");
  }
  std::ranges::copy(**key_id, out.key_id.begin());
  auto attestation = read_object(submod, "attestation");
  if (!attestation) return pass(attestation);
  out.attestation = std::move(*attestation);
  auto assertion = read_object(submod, "assertion");
  if (!assertion) return pass(assertion);
  out.assertion = std::move(*assertion);
  if (submod.contains("nonce")) {
    auto nonce = get_base64url(submod, "nonce", 64);
    if (!nonce) return fail(SubmodError::kMalformed, nonce.error().message());
    out.nonce = std::move(*nonce);
  }
  return out;
}

FindingId attest_finding_of(const Error& refusal) {
  if (refusal.is(AppAttestError::kWrongAppId)) return FindingId::kHardwareOtherApp;
  if (refusal.is(AppAttestError::kCounterReplayed)) return FindingId::kHardwareReplayed;
  // The nonce is this service's, so it is the key that differs.
  if (refusal.is(AppAttestError::kNonceMismatch)) return FindingId::kHardwareOtherKey;
  return FindingId::kHardwareRefused;
}

// The counter of an assertion over the present challenge. `key`: of its attestation.
Result<std::uint32_t> verify_assertion(ByteView object, const model::AppAttestKey& key,
                                       const Evidence& evidence, const std::string& app_id) {
  const auto public_key = pki::PublicKey::from_spki(key.spki);
  if (!public_key) return pass(public_key);
  const Sha256Digest client_data =
      protocol::app_attest_client_data_hash(evidence.nonce, evidence.key.public_der());
  const auto assertion = evidence::verify_assertion(
      object, *public_key, {.client_data_hash = client_data, .app_id = app_id});
  if (assertion.refusal) return tl::unexpected<Error>(*assertion.refusal);
  return assertion.authenticator_data->sign_count;
}

// The registered app's; of another the configured one for its bundle.
std::optional<std::string> app_id_of(const HardwareSettings& settings, const ExpectedApp& app) {
  if (!app.team.empty()) return app.team + "." + app.package_name;
  const auto is_app = [&app](const std::string& id) {
    return id.substr(id.find('.') + 1) == app.package_name;
  };
  const auto found = std::ranges::find_if(settings.ios_app_ids, is_app);
  return found == settings.ios_app_ids.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

Result<model::AppAttestKey> HardwareAppraiser::verify_attestation(const AppAttestSubmod& submod,
                                                                  const Evidence& evidence,
                                                                  const std::string& app_id,
                                                                  UnixTime now) const {
  const Bytes& nonce = submod.nonce ? *submod.nonce : evidence.nonce;
  if (!submod.assertion && nonce != evidence.nonce) {
    return fail(AppAttestSubmodError::kNotFresh, "an older attestation needs an assertion");
  }
  const CheckedChallenge made = challenges_.check(nonce, now);
  if (made.state == ChallengeState::kForged) {
    return fail(AppAttestSubmodError::kForeignNonce,
                "the attestation is for a challenge that this service did not make");
  }
  const Sha256Digest client_data =
      protocol::app_attest_client_data_hash(nonce, evidence.key.public_der());
  // Apple's certificate of the key is for days only, and had to be valid when the key was attested.
  const auto attestation =
      app_attest_.verify(*submod.attestation, {.as_of = std::min(now, made.expires),
                                               .client_data_hash = to_bytes(ByteView(client_data)),
                                               .app_id = app_id,
                                               .key_id = to_bytes(ByteView(submod.key_id))});
  if (attestation.refusal) return tl::unexpected<Error>(*attestation.refusal);
  const policy::AppAttestFacts facts = app_attest_facts(attestation);
  return model::AppAttestKey{to_bytes(attestation.public_key()), facts.production,
                             facts.validation_category};
}

Result<DeviceAppraisal> HardwareAppraiser::appraise_app_attest(const Json& json,
                                                               const Evidence& evidence,
                                                               const ExpectedApp& app,
                                                               UnixTime now) const {
  const auto refused = [](FindingId finding, std::string why) {
    return DeviceAppraisal{.findings = {{finding, std::move(why)}}};
  };
  const auto submod = read_submod(json);
  if (!submod) return refused(attest_finding_of(submod.error()), submod.error().text());
  const auto app_id = app_id_of(settings_, app);
  if (!app_id) {
    return refused(FindingId::kHardwareOtherApp,
                   "no iOS app id is registered or set for this bundle");
  }
  const DeviceAppraisal other_key = refused(
      FindingId::kHardwareOtherKey, "the App Attest key vouches for another installation key");
  const Sha256Digest installation = crypto::sha256(evidence.key.public_der());
  std::optional<model::AppAttestKey> key;
  if (submod->attestation) {
    auto attested = verify_attestation(*submod, evidence, *app_id, now);
    if (!attested) return refused(attest_finding_of(attested.error()), attested.error().text());
    key = std::move(*attested);
    auto is_its_key = app_attest_keys_.add_app_attest_key(submod->key_id, *key, installation);
    if (!is_its_key) return pass(is_its_key);
    if (!*is_its_key) return other_key;
  } else {
    auto known = app_attest_keys_.app_attest_key(submod->key_id);
    if (!known) return pass(known);
    if (!*known) {
      const Error unknown(AppAttestSubmodError::kUnknownKey, "the key's attestation is needed");
      return refused(attest_finding_of(unknown), unknown.text());
    }
    key = std::move(**known);
  }
  if (submod->assertion) {
    auto counter = verify_assertion(*submod->assertion, *key, evidence, *app_id);
    if (!counter) return refused(attest_finding_of(counter.error()), counter.error().text());
    auto use = app_attest_keys_.use_app_attest_key(submod->key_id, installation, *counter);
    if (!use) return pass(use);
    if (*use == model::AppAttestUse::kOtherKey) return other_key;
    if (*use == model::AppAttestUse::kReplayed) {
      return refused(FindingId::kHardwareReplayed,
                     "counter " + std::to_string(*counter) + " was taken before");
    }
  }
  return DeviceAppraisal{
      .assurance = policy::Assurance::kSecureChip,
      .app_attest = policy::AppAttestFacts{.production = key->production,
                                           .validation_category = key->validation_category}};
}

}  // namespace touchmark::verifier::appraisal
