// Public keys and signatures as certificates carry them. The algorithms are the ones that genuine
// attestation chains use; a key of any other kind is data that nothing here has to decode.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::pki {

enum class SignatureError {
  kMalformedKey,          // not a SubjectPublicKeyInfo, or a point off its curve
  kUnsupportedKey,        // a key type, curve or size that no chain is signed with
  kMalformedAlgorithm,    // not an AlgorithmIdentifier
  kUnsupportedAlgorithm,  // a signature algorithm that is not one of SignatureAlgorithm
  kWrongKeyType,          // an ECDSA signature under an RSA key, or the reverse
  kBadSignature,          // the signature does not verify
};
std::string_view error_id(SignatureError error);

enum class SignatureAlgorithm {
  kEcdsaSha256,
  kEcdsaSha384,
  kEcdsaSha512,
  kRsaSha256,  // RSASSA-PKCS1-v1_5
  kRsaSha384,
  kRsaSha512,
};
std::string_view to_string(SignatureAlgorithm algorithm);

// `algorithm` is a DER AlgorithmIdentifier. Parameters may be absent or NULL: genuine phones write
// NULL with ECDSA, where RFC 5758 section 3.2 asks for nothing.
Result<SignatureAlgorithm> parse_signature_algorithm(ByteView algorithm);

// Immutable; usable from many threads.
class PublicKey {
 public:
  // DER SubjectPublicKeyInfo: EC on P-256, P-384 or P-521, or RSA of 2048 to 8192 bits.
  static Result<PublicKey> from_spki(ByteView spki);
  // 04 || x || y on P-256.
  static Result<PublicKey> from_p256_point(ByteView point);

  // `signature`: for ECDSA the DER of r and s, for RSA its bytes.
  Result<void> verify(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const;

  // "EC P-256", "RSA 2048"
  const std::string& kind() const;

 private:
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// The content of an SPKI's BIT STRING, whatever the algorithm: for EC the point.
Result<ByteView> spki_key_bits(ByteView spki);

}  // namespace touchmark::pki
