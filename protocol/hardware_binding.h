// What binds hardware evidence to one challenge and one installation key (protocol/README.md,
// "Hardware evidence"). The attester asks the platform to sign these values, the verifier computes
// them again.
#pragma once

#include "base/bytes.h"

namespace touchmark::protocol {

// The clientDataHash of App Attest, for attestations and assertions alike:
// SHA-256("touchmark app-attest v1" || nonce || key). `nonce`: the challenge's, decoded; `key`: the
// installation key, DER SubjectPublicKeyInfo.
Sha256Digest app_attest_client_data_hash(ByteView nonce, ByteView key);

// The nonce of a classic Play Integrity request, as bytes: SHA-256("touchmark play-integrity v1" ||
// nonce || key).
Sha256Digest play_integrity_hash(ByteView nonce, ByteView key);

}  // namespace touchmark::protocol
