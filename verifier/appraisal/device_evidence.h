// Hardware evidence, as it comes in the evidence's `submods` (protocol/README.md): verified, bound
// to the installation key, the registered app and this service's challenges, and turned into
// findings and facts. What a verified phone must be like is for the policy.
#pragma once

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
#include "verifier/policy/facts.h"
#include "verifier/store/app_attest_keys.h"

namespace touchmark::verifier::appraisal {

enum class SubmodError {
  kMalformed,  // a member of `submods` that is not of its shape
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

  static ExpectedApp of(const Evidence& evidence, const Reference* reference);
};

// The level that hardware evidence claims, unverified. A decoy token carries it, as a valid token
// would carry the verified one, so that the two do not differ.
policy::Assurance claimed_assurance(const Evidence& evidence);

// Thread-safe; one for the life of the process, for its caches of verified issuers. How long
// appraise() takes tells whoever sent the evidence at which check it failed; docs/threat-model.md
// says why that is all it tells.
class HardwareAppraiser {
 public:
  // What is passed by reference must outlive this.
  HardwareAppraiser(HardwareSettings settings, const ChallengeMaker& challenges,
                    store::AppAttestKeys& app_attest_keys);

  // Appends to `findings`; fills assurance, android, app_attest and play of `facts`, each only from
  // evidence without a finding of its own. Fails only with an error of `app_attest_keys`.
  Result<void> appraise(const Evidence& evidence, const ExpectedApp& app, UnixTime now,
                        std::vector<protocol::Finding>& findings, policy::Facts& facts) const;

 private:
  void appraise_android_key(const Json& submod, const Evidence& evidence, const ExpectedApp& app,
                            UnixTime now, std::vector<protocol::Finding>& findings,
                            policy::Facts& facts) const;
  Result<void> appraise_app_attest(const Json& submod, const Evidence& evidence,
                                   const ExpectedApp& app, UnixTime now,
                                   std::vector<protocol::Finding>& findings,
                                   policy::Facts& facts) const;
  Result<store::AppAttestKey> verify_attestation(const AppAttestSubmod& submod,
                                                 const Evidence& evidence,
                                                 const std::string& app_id, UnixTime now) const;
  void appraise_play_integrity(const Json& submod, const Evidence& evidence, const ExpectedApp& app,
                               UnixTime now, std::vector<protocol::Finding>& findings,
                               policy::Facts& facts) const;

  HardwareSettings settings_;
  const ChallengeMaker& challenges_;
  store::AppAttestKeys& app_attest_keys_;
  evidence::KeyAttestationVerifier key_attestation_;
  evidence::AttestationVerifier app_attest_;
};

}  // namespace touchmark::verifier::appraisal
