#include "protocol/hardware_binding.h"

#include <string_view>

#include "crypto/crypto.h"

namespace touchmark::protocol {
namespace {

// The label keeps a value that one endorser signed from being shown as another's. Nonces and keys
// have fixed lengths, so nothing else has to stand between the parts.
Sha256Digest bound_digest(std::string_view label, ByteView nonce, ByteView key) {
  Bytes input = to_bytes(label);
  append(input, nonce);
  append(input, key);
  return crypto::sha256(input);
}

}  // namespace

Sha256Digest app_attest_client_data_hash(ByteView nonce, ByteView key) {
  return bound_digest("touchmark app-attest v1", nonce, key);
}

Sha256Digest play_integrity_hash(ByteView nonce, ByteView key) {
  return bound_digest("touchmark play-integrity v1", nonce, key);
}

}  // namespace touchmark::protocol
