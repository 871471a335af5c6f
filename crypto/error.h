#pragma once

#include "base/error.h"

namespace touchmark::crypto {

enum class CryptoError {
  kBadKey,        // not a key of the expected type and curve
  kBadSignature,  // the signature does not verify
  kSealBroken,    // sealed data was changed, or another key sealed it
};
std::string_view error_id(CryptoError error);

}  // namespace touchmark::crypto
