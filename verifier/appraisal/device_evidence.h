// Hardware evidence, as it comes in the evidence's `submods` (protocol/README.md): verified, bound
// to the installation key, the registered app and this service's challenges, and turned into
// findings and facts. What a verified phone must be like is for the policy.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/challenge.h"
#include "verifier/appraisal/device_evidence_settings.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"
#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"
#include "verifier/model/app_attest_keys.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier::appraisal {

enum class SubmodError {
  kMalformed,        // a member of `submods` that is not of its shape
  kForeignPlatform,  // a kind of evidence that devices of another platform make
};
std::string_view error_id(SubmodError error);

// The member `app-attest` of the evidence's `submods`.
struct AppAttestSubmod {
  Sha256Digest key_id{};
  std::optional<Bytes> attestation{};
  std::optional<Bytes> nonce{};  // of the attestation; absent: the present one
  std::optional<Bytes> assertion{};
};

// The app that the evidence must be about: the registered one, or, where none is, the claimed one.
struct ExpectedApp {
  std::string package_name;
  std::set<Sha256Digest> signers;
  // Of a rotated signing key, the first certificate: Android names that one in its key attestation
  // (PackageInfo.signatures), and the newest one elsewhere.
  std::optional<Sha256Digest> first_signer = {};
  // Whose kinds of evidence count: another platform's say nothing of this app's key.
  std::string_view platform = protocol::kAndroidBuild;  // or kIosBuild
  std::string team = {};  // of a registered iOS app; empty where nobody knows

  static ExpectedApp of(const Evidence& evidence, const Reference* reference);
};

// The level that the hardware evidence of the app's platform claims, unverified: for the claim
// `lvl` (level_for_token).
policy::Assurance claimed_assurance(const Evidence& evidence, const ExpectedApp& app);

// What device evidence proves, and what is wrong with it.
struct DeviceAppraisal {
  std::vector<protocol::Finding> findings{};
  // Each only from evidence without a finding of its own; `assurance` is the best of its kinds.
  policy::Assurance assurance = policy::Assurance::kSoftware;
  policy::Assurance claimed = policy::Assurance::kSoftware;  // claimed_assurance()
  std::optional<policy::AndroidFacts> android{};
  std::optional<policy::AppAttestFacts> app_attest{};
  std::optional<policy::PlayFacts> play{};

  // Whether verified evidence names the expected app's package and signers; otherwise they are only
  // the app's own word. Android's key attestation and Play Integrity name them. App Attest names
  // the team and the app only.
  bool names_signers() const;
};

// Thread-safe; one for the life of the process, for its caches of verified issuers. How long
// appraise() takes tells whoever sent the evidence at which check it failed; docs/threat-model.md
// says why that is all it tells.
class HardwareAppraiser {
 public:
  // What is passed by reference must outlive this.
  HardwareAppraiser(HardwareSettings settings, const ChallengeMaker& challenges,
                    model::AppAttestKeys& app_attest_keys);

  // Fails only with an error of `app_attest_keys`.
  Result<DeviceAppraisal> appraise(const Evidence& evidence, const ExpectedApp& app,
                                   UnixTime now) const;

 private:
  DeviceAppraisal appraise_android_key(const Json& submod, const Evidence& evidence,
                                       const ExpectedApp& app, UnixTime now) const;
  Result<DeviceAppraisal> appraise_app_attest(const Json& submod, const Evidence& evidence,
                                              const ExpectedApp& app, UnixTime now) const;
  Result<model::AppAttestKey> verify_attestation(const AppAttestSubmod& submod,
                                                 const Evidence& evidence,
                                                 const std::string& app_id, UnixTime now) const;
  DeviceAppraisal appraise_play_integrity(const Json& submod, const Evidence& evidence,
                                          const ExpectedApp& app, UnixTime now) const;

  HardwareSettings settings_;
  const ChallengeMaker& challenges_;
  model::AppAttestKeys& app_attest_keys_;
  evidence::KeyAttestationVerifier key_attestation_;
  evidence::AttestationVerifier app_attest_;
};

}  // namespace touchmark::verifier::appraisal
