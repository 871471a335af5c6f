// Authenticated encryption of what is stored: AES-256-GCM.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/error.h"

namespace touchmark::crypto {

// `key` is 32 bytes. Output: 12-byte nonce, ciphertext, 16-byte tag.
// `context` is authenticated, not stored: data sealed for one purpose cannot be opened for another.
Bytes seal(ByteView key, std::string_view context, ByteView plain, Random& random);
Result<Bytes> open_sealed(ByteView key, std::string_view context, ByteView sealed);

}  // namespace touchmark::crypto
