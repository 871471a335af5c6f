#include "verifier/appraisal/device_facts.h"

#include <limits>

namespace touchmark::verifier::appraisal {
namespace {

using evidence::SecurityLevel;
using evidence::VerifiedBootState;

// A number of the evidence that is too large for a fact was not said by any phone.
std::optional<std::uint32_t> narrow(std::optional<std::uint64_t> value) {
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint32_t> patch_level(const std::optional<evidence::PatchLevel>& patch) {
  return patch ? std::optional(patch->value) : std::nullopt;
}

policy::BootState boot_state(VerifiedBootState state) {
  switch (state) {
    case VerifiedBootState::kVerified:
      return policy::BootState::kVerified;
    case VerifiedBootState::kSelfSigned:
      return policy::BootState::kSelfSigned;
    case VerifiedBootState::kUnverified:
      return policy::BootState::kUnverified;
    case VerifiedBootState::kFailed:
      return policy::BootState::kFailed;
  }
  return policy::BootState::kFailed;
}

}  // namespace

policy::AndroidFacts android_facts(const evidence::KeyAttestation& attestation) {
  policy::AndroidFacts facts;
  if (!attestation.description) return facts;
  const evidence::KeyDescription& description = *attestation.description;
  const evidence::AuthorizationList& hardware = description.hardware_enforced;
  if (hardware.root_of_trust) {
    facts.boot = policy::BootFacts{.locked = hardware.root_of_trust->device_locked,
                                   .state = boot_state(hardware.root_of_trust->verified_boot_state),
                                   .key = to_bytes(hardware.root_of_trust->verified_boot_key)};
  }
  facts.os_version = narrow(hardware.os_version);
  facts.os_patch_level = patch_level(hardware.os_patch_level);
  facts.vendor_patch_level = patch_level(hardware.vendor_patch_level);
  facts.boot_patch_level = patch_level(hardware.boot_patch_level);
  facts.attestation_version = narrow(description.attestation_version);
  facts.keymint_version = narrow(description.key_mint_version);
  return facts;
}

policy::Assurance assurance_of(SecurityLevel level) {
  switch (level) {
    case SecurityLevel::kSoftware:
      return policy::Assurance::kSoftware;
    case SecurityLevel::kTrustedEnvironment:
      return policy::Assurance::kTee;
    case SecurityLevel::kStrongBox:
      return policy::Assurance::kSecureChip;
  }
  return policy::Assurance::kSoftware;
}

policy::AppAttestFacts app_attest_facts(const evidence::AppAttestAttestation& attestation) {
  policy::AppAttestFacts facts;
  facts.production = attestation.environment == evidence::AppAttestEnvironment::kProduction;
  if (attestation.authenticator_data && attestation.authenticator_data->validation_category) {
    facts.validation_category =
        static_cast<std::uint32_t>(*attestation.authenticator_data->validation_category);
  }
  return facts;
}

policy::PlayFacts play_facts(const evidence::PlayIntegrityVerdict& verdict) {
  policy::PlayFacts facts;
  facts.app_recognition = verdict.app_recognition_verdict;
  facts.device_recognition = verdict.device_recognition_verdict;
  facts.app_licensing = verdict.app_licensing_verdict;
  if (!verdict.device_activity_level.empty()) {
    facts.recent_device_activity = {verdict.device_activity_level};
  }
  facts.apps_detected = verdict.apps_detected;
  facts.play_protect = verdict.play_protect_verdict;
  facts.test_response = verdict.is_test_response;
  if (verdict.device_sdk_version && *verdict.device_sdk_version >= 0) {
    facts.sdk_version = narrow(static_cast<std::uint64_t>(*verdict.device_sdk_version));
  }
  return facts;
}

}  // namespace touchmark::verifier::appraisal
