// Public and secret keys that evidence is verified with, in the forms that people keep them in.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "verifier/evidence/play_integrity.h"

namespace touchmark::cli::commands {

// DER SubjectPublicKeyInfo of: PEM or DER of a public key or certificate, a COSE_Key, a point, a
// JWK, an App Attest attestation (its leaf's key; the attestation is not verified), the JSON that
// `evidence verify` gave (its publicKey), or base64 or hex of any of them.
// Errors: cli.bad-key, file.*.
Result<Bytes> read_public_key(const std::string& path);

// The two keys of the Play Console, in either order: 32 bytes (raw, base64 or hex) to decrypt with,
// and a P-256 public key in any form that read_public_key takes.
Result<verifier::evidence::PlayIntegrityKeys> read_play_keys(const std::string& first,
                                                             const std::string& second);

}  // namespace touchmark::cli::commands
