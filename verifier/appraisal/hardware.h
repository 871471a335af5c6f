// Hardware evidence, as it comes in the evidence's `submods` (protocol/README.md): verified, bound
// to the installation key, the registered app and this service's challenges, and turned into
// findings and facts. What a verified phone must be like is for the policy.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/challenge.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"
#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"
#include "verifier/evidence/play_integrity.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier {

struct HardwareSettings {
  // Beside Google's and Apple's: for the lab. Whoever holds such a root can make any phone.
  std::optional<evidence::TrustRoots> more_roots{};
  std::map<std::string, evidence::PlayIntegrityKeys> play_integrity{};  // by package name
  std::vector<std::string> ios_app_ids{};                               // "<team id>.<bundle id>"
};

// The app that the evidence must be about: the registered one, or, where none is, the claimed one.
struct ExpectedApp {
  std::string package_name;
  std::set<Sha256Digest> signers;

  static ExpectedApp of(const Evidence& evidence, const Reference* reference);
};

// Thread-safe; one for the life of the process, for its caches of verified issuers. How long
// appraise() takes tells whoever sent the evidence at which check it failed; docs/threat-model.md
// says why that is all it tells.
class HardwareAppraiser {
 public:
  // The revocation list in force, nullptr when none is configured; an error when one is required
  // and is missing or too old.
  using Revocation = std::function<Result<std::shared_ptr<const evidence::RevocationList>>()>;

  HardwareAppraiser(HardwareSettings settings, const ChallengeMaker& challenges,
                    Revocation revocation);

  // Appends to `findings`; fills assurance, android and play of `facts`, each only from evidence
  // without a finding of its own.
  void appraise(const Evidence& evidence, const ExpectedApp& app, UnixTime now,
                std::vector<protocol::Finding>& findings, policy::Facts& facts) const;

 private:
  void appraise_android_key(const Json& submod, const Evidence& evidence, const ExpectedApp& app,
                            UnixTime now, std::vector<protocol::Finding>& findings,
                            policy::Facts& facts) const;
  void appraise_play_integrity(const Json& submod, const Evidence& evidence, const ExpectedApp& app,
                               UnixTime now, std::vector<protocol::Finding>& findings,
                               policy::Facts& facts) const;

  HardwareSettings settings_;
  const ChallengeMaker& challenges_;
  Revocation revocation_;
  evidence::KeyAttestationVerifier key_attestation_;
  evidence::AttestationVerifier app_attest_;
};

}  // namespace touchmark::verifier
