#include "crypto/error.h"

namespace touchmark::crypto {

std::string_view error_id(CryptoError error) {
  using enum CryptoError;
  static constexpr auto kIds = error_table<CryptoError>({
      {kBadKey, "crypto.bad-key"},
      {kBadSignature, "crypto.bad-signature"},
      {kSealBroken, "crypto.seal-broken"},
  });
  return kIds[error];
}

}  // namespace touchmark::crypto
