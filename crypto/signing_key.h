// The private keys that tokens are signed with where API servers are to hold no secret.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

namespace touchmark::crypto {

// RFC 7518 section 3.3 (RSA of 2048 bits), section 3.4 (P-256), RFC 8037 (Ed25519).
enum class SigningAlgorithm { kRs256, kEs256, kEdDsa };
std::string_view to_string(SigningAlgorithm algorithm);  // as in `alg`
std::optional<SigningAlgorithm> parse_signing_algorithm(std::string_view alg);

// Immutable; usable from many threads.
class SigningKey {
 public:
  // RSA takes some tenths of a second.
  static SigningKey generate(SigningAlgorithm algorithm);
  // PKCS #8. kBadKey: not a private key of the algorithm.
  static Result<SigningKey> from_private_der(SigningAlgorithm algorithm, ByteView pkcs8);

  // DER SubjectPublicKeyInfo: a key that only verifies. kBadKey.
  static Result<SigningKey> from_public_der(SigningAlgorithm algorithm, ByteView spki);

  SigningAlgorithm algorithm() const { return algorithm_; }
  Bytes private_der() const;  // not of a key that only verifies
  Bytes public_der() const;
  std::string public_pem() const;
  // RFC 7517: kty with its members, `alg` and `use`; no kid.
  Json public_jwk() const;

  // In the form of JWS: for ES256 r || s, 64 bytes. Not by a key that only verifies.
  Bytes sign(ByteView data) const;
  bool verifies(ByteView data, ByteView signature) const;

 private:
  SigningKey(SigningAlgorithm algorithm, std::shared_ptr<void> key)
      : algorithm_(algorithm), key_(std::move(key)) {}
  SigningAlgorithm algorithm_;
  std::shared_ptr<void> key_;  // EVP_PKEY
};

}  // namespace touchmark::crypto
