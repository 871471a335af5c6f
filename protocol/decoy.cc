#include "protocol/decoy.h"

#include "crypto/crypto.h"

namespace touchmark::protocol {

Bytes derive_decoy_secret(ByteView token_secret) {
  return crypto::hkdf_sha256(token_secret, "touchmark decoy secret v1", 32);
}

}  // namespace touchmark::protocol
