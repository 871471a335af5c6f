// Verified hardware evidence as the facts that a policy judges. Call these for evidence without a
// refusal only.
#pragma once

#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"
#include "verifier/evidence/play_integrity.h"
#include "verifier/policy/facts.h"

namespace touchmark::policy {

// From the hardware-enforced list; what Android says of itself counts for nothing here.
AndroidFacts android_facts(const evidence::KeyAttestation& attestation);
Assurance assurance_of(evidence::SecurityLevel level);

AppAttestFacts app_attest_facts(const evidence::AppAttestAttestation& attestation);

PlayFacts play_facts(const evidence::PlayIntegrityVerdict& verdict);

}  // namespace touchmark::policy
