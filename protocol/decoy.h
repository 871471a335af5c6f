// The second secret of every token secret.
#pragma once

#include "base/bytes.h"

namespace touchmark::protocol {

// The secret that signs the token of a failed attestation: HKDF-SHA256(token secret, info
// "touchmark decoy secret v1", 32 bytes). Whoever has the token secret can tell such a token from a
// forged one.
Bytes derive_decoy_secret(ByteView token_secret);

}  // namespace touchmark::protocol
