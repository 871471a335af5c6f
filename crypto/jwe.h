// Compact JWE (RFC 7516) of the one kind that Play Integrity uses: the content key wrapped with
// A256KW (RFC 3394), the content encrypted with A256GCM. The header is compared with that and
// chooses nothing.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::crypto {

enum class JweError {
  kTooLarge,
  kMalformed,          // not five base64url parts with a JSON object first
  kWrongAlg,           // alg is not A256KW
  kWrongEnc,           // enc is not A256GCM
  kUnsupportedHeader,  // crit, zip or another member that changes how the content is read
  kWrongKeySize,       // the key encryption key, or the key it wraps, is not 32 bytes
  kUnwrapFailed,       // the encrypted key was changed, or is for another key
  kDecryptionFailed,   // header, nonce, ciphertext or tag was changed
};
std::string_view error_id(JweError error);

inline constexpr std::size_t kMaxJweBytes = 256 * 1024;

// AES key unwrap (RFC 3394 section 2.2.2) with a 32-byte key.
Result<Bytes> unwrap_key(ByteView key, ByteView wrapped);

// The plaintext. `key`: 32 bytes.
Result<Bytes> decrypt_jwe(std::string_view compact, ByteView key);

}  // namespace touchmark::crypto
