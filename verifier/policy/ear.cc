#include "verifier/policy/ear.h"

#include <algorithm>

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;
using Claim = std::uint8_t TrustVector::*;

// Values of AR4SI's section 2.3.4.
constexpr std::uint8_t kAffirming = 2;
constexpr std::uint8_t kApprovedBoot = 3;
constexpr std::uint8_t kWarning = 32;
constexpr std::uint8_t kUnrecognizedCode = 33;
constexpr std::uint8_t kContraindicated = 96;
constexpr std::uint8_t kUnrecognized = 97;
constexpr std::uint8_t kCryptoFailed = 99;

struct ClaimEffect {
  FindingId finding;
  Claim claim;
  std::uint8_t value;
};
constexpr ClaimEffect kClaimEffects[] = {
    {FindingId::kAppNotRegistered, &TrustVector::executables, kUnrecognizedCode},
    {FindingId::kAppRegistrationExpired, &TrustVector::executables, kWarning},
    {FindingId::kAppRangeProof, &TrustVector::executables, kContraindicated},
    {FindingId::kAppPathMismatch, &TrustVector::executables, kContraindicated},
    {FindingId::kAppUnreadable, &TrustVector::executables, kUnrecognizedCode},
    {FindingId::kAppCodeNotFromPackage, &TrustVector::executables, kContraindicated},
    {FindingId::kAppClaimsMismatch, &TrustVector::executables, kContraindicated},
    {FindingId::kAppInstaller, &TrustVector::configuration, kWarning},
    {FindingId::kAppDevelopment, &TrustVector::configuration, kWarning},
    {FindingId::kAppByCertificate, &TrustVector::executables, kWarning},
    {FindingId::kAppVirtualSpace, &TrustVector::executables, kContraindicated},
    {FindingId::kChallengeInvalid, &TrustVector::instance_identity, kCryptoFailed},
    {FindingId::kChallengeExpired, &TrustVector::instance_identity, kContraindicated},
    {FindingId::kChallengeReplayed, &TrustVector::instance_identity, kContraindicated},
    {FindingId::kEvidenceWrongAccount, &TrustVector::instance_identity, kUnrecognized},
    {FindingId::kEvidenceChecksMissing, &TrustVector::executables, kUnrecognizedCode},
    {FindingId::kEvidenceUnknownFinding, &TrustVector::executables, 1},
    {FindingId::kNetworkMitm, &TrustVector::configuration, kContraindicated},
    {FindingId::kHookTextModified, &TrustVector::executables, kContraindicated},
    {FindingId::kHookImportRedirected, &TrustVector::executables, kContraindicated},
    {FindingId::kHookUnknownCode, &TrustVector::executables, kContraindicated},
    {FindingId::kHookFramework, &TrustVector::executables, kContraindicated},
    {FindingId::kHookPreload, &TrustVector::executables, kContraindicated},
    {FindingId::kHookJavaMethod, &TrustVector::executables, kContraindicated},
    {FindingId::kHookJni, &TrustVector::executables, kContraindicated},
    {FindingId::kHookHiddenCode, &TrustVector::executables, kContraindicated},
    {FindingId::kHookForeignClasses, &TrustVector::executables, kWarning},
    {FindingId::kDebugAttached, &TrustVector::runtime_opaque, kContraindicated},
    {FindingId::kDebugBreakpoint, &TrustVector::runtime_opaque, kContraindicated},
    {FindingId::kDebugDebuggable, &TrustVector::runtime_opaque, kContraindicated},
    {FindingId::kRootSu, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootTestKeys, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootWritableSystem, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootMounts, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootBootState, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootDebuggableSystem, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootSelinux, &TrustVector::configuration, kContraindicated},
    {FindingId::kRootChangedProperty, &TrustVector::configuration, kWarning},
    {FindingId::kRootJailbreak, &TrustVector::configuration, kContraindicated},
    {FindingId::kDeviceEmulator, &TrustVector::hardware, kContraindicated},
    {FindingId::kDeviceKernel, &TrustVector::hardware, kContraindicated},
    {FindingId::kDeviceMemory, &TrustVector::hardware, kContraindicated},
    {FindingId::kDeviceProcessor, &TrustVector::hardware, kContraindicated},
    {FindingId::kDeviceTiming, &TrustVector::hardware, kWarning},
    {FindingId::kDeviceLibc, &TrustVector::executables, kContraindicated},
    {FindingId::kDeviceHostBuild, &TrustVector::hardware, kUnrecognized},
    {FindingId::kDeviceFiltered, &TrustVector::hardware, kWarning},
    {FindingId::kDeviceForcedFail, &TrustVector::instance_identity, kContraindicated},
    {FindingId::kDevicePatchLevel, &TrustVector::configuration, kWarning},
    {FindingId::kDeviceOsVersion, &TrustVector::configuration, kWarning},
    {FindingId::kHardwareAssurance, &TrustVector::instance_identity, kWarning},
    {FindingId::kHardwareRefused, &TrustVector::instance_identity, kCryptoFailed},
    {FindingId::kHardwareRevoked, &TrustVector::instance_identity, kContraindicated},
    {FindingId::kHardwareRevocationUnknown, &TrustVector::instance_identity, kWarning},
    {FindingId::kHardwareOtherKey, &TrustVector::instance_identity, kContraindicated},
    {FindingId::kHardwareOtherApp, &TrustVector::executables, kContraindicated},
    {FindingId::kHardwareReplayed, &TrustVector::instance_identity, kContraindicated},
    {FindingId::kHardwareDevelopment, &TrustVector::configuration, kWarning},
    {FindingId::kHardwareVersion, &TrustVector::hardware, kWarning},
    {FindingId::kBootUnlocked, &TrustVector::configuration, kContraindicated},
    {FindingId::kBootUnverified, &TrustVector::executables, kContraindicated},
    {FindingId::kPlayApp, &TrustVector::executables, kUnrecognizedCode},
    {FindingId::kPlayDevice, &TrustVector::hardware, kUnrecognized},
    {FindingId::kPlayEnvironment, &TrustVector::configuration, kWarning},
    {FindingId::kSurroundingsAccessibility, &TrustVector::configuration, kWarning},
    {FindingId::kSurroundingsOverlay, &TrustVector::configuration, kWarning},
    {FindingId::kSurroundingsVpn, &TrustVector::configuration, kWarning},
    {FindingId::kSurroundingsProxy, &TrustVector::configuration, kWarning},
};

TrustVector from_facts(const Facts& facts) {
  TrustVector vector;
  const bool attested = facts.assurance >= Assurance::kTee;
  if (attested) {
    vector.instance_identity = kAffirming;
    vector.hardware = kAffirming;
  }
  vector.storage_opaque = attested ? kAffirming : kWarning;
  // Android's and iOS's sandboxes keep other apps out of this one's memory, not the system itself.
  const bool isolated = facts.platform == "android" || facts.platform == "ios";
  if (attested && isolated) vector.runtime_opaque = kWarning;
  if (facts.android && facts.android->boot) {
    const BootFacts& boot = *facts.android->boot;
    const bool signed_system =
        boot.state == BootState::kVerified || boot.state == BootState::kSelfSigned;
    vector.configuration = boot.locked ? kAffirming : kContraindicated;
    vector.executables = boot.locked && signed_system ? kApprovedBoot : kContraindicated;
  }
  if (facts.app_attest) {
    vector.configuration = facts.app_attest->production ? kAffirming : kWarning;
  }
  return vector;
}

// Affirming values stand below warnings, and those below contraindications.
void worsen(std::uint8_t& claim, std::uint8_t value) { claim = std::max(claim, value); }

constexpr std::pair<const char*, Claim> kNames[] = {
    {"instance-identity", &TrustVector::instance_identity},
    {"configuration", &TrustVector::configuration},
    {"executables", &TrustVector::executables},
    {"hardware", &TrustVector::hardware},
    {"runtime-opaque", &TrustVector::runtime_opaque},
    {"storage-opaque", &TrustVector::storage_opaque},
};

}  // namespace

TrustVector trust_vector(const Facts& facts, const Verdict& verdict) {
  TrustVector vector = from_facts(facts);
  for (const Decided& decided : verdict.findings) {
    if (decided.action == Action::kIgnore) continue;
    const auto* effect =
        std::ranges::find(kClaimEffects, decided.finding.id, &ClaimEffect::finding);
    if (effect != std::end(kClaimEffects)) worsen(vector.*effect->claim, effect->value);
  }
  return vector;
}

std::string_view ear_status(const TrustVector& vector, const Verdict& verdict) {
  std::uint8_t worst = 0;
  for (const auto& [name, claim] : kNames) worsen(worst, vector.*claim);
  if (!verdict.passed || worst >= kContraindicated) return "contraindicated";
  if (worst >= kWarning) return "warning";
  return worst >= kAffirming ? "affirming" : "none";
}

Json ear_claims(const Facts& facts, const Verdict& verdict, const EarContext& context) {
  const TrustVector vector = trust_vector(facts, verdict);
  Json claims = Json::object();
  for (const auto& [name, claim] : kNames) claims[name] = vector.*claim;
  Json app = {{"ear.status", ear_status(vector, verdict)},
              {"ear.trustworthiness-vector", std::move(claims)}};
  if (!context.policy_id.empty()) app["ear.appraisal-policy-id"] = context.policy_id;
  Json ear = {{"eat_profile", kEarProfile},
              {"iat", to_unix(context.issued_at)},
              {"ear.verifier-id", {{"developer", "Touchmark"}, {"build", context.build}}},
              {"submods", {{"app", std::move(app)}}}};
  if (context.nonce) ear["eat_nonce"] = *context.nonce;
  return ear;
}

}  // namespace touchmark::verifier::policy
