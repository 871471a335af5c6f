// Verified hardware evidence as the facts that a policy judges. Call these for evidence without a
// refusal only.
#pragma once

#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"
#include "verifier/evidence/play_integrity.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier::appraisal {

// From the hardware-enforced list; what Android says of itself counts for nothing here.
policy::AndroidFacts android_facts(const evidence::KeyAttestation& attestation);
policy::Assurance assurance_of(evidence::SecurityLevel level);

policy::AppAttestFacts app_attest_facts(const evidence::AppAttestAttestation& attestation);

policy::PlayFacts play_facts(const evidence::PlayIntegrityVerdict& verdict);

}  // namespace touchmark::verifier::appraisal
