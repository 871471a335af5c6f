// Public keys and signatures, under one of two policies: strong keys for attestation, and whatever
// the platform accepts for packages, whose signers chose their keys long ago. A key of any other
// kind is data that nothing here has to decode.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"

namespace touchmark::pki {

enum class SignatureError {
  kMalformedKey,          // not a SubjectPublicKeyInfo, or a point off its curve
  kUnsupportedKey,        // a key type, curve or size that the policy does not accept
  kMalformedAlgorithm,    // not an AlgorithmIdentifier
  kUnsupportedAlgorithm,  // a signature algorithm that no chain is signed with
  kWrongKeyType,          // an ECDSA signature under an RSA key, or the reverse
  kBadSignature,          // the signature does not verify
};
std::string_view error_id(SignatureError error);

enum class KeyPolicy {
  // EC on P-256, P-384 or P-521, its point uncompressed; RSA of 2048 to 8192 bits.
  kAttestation,
  // What Android accepts of an APK's signer: RSA of any size up to 16384 bits, DSA, and EC on the
  // same curves by name. No minimum strength: 512-bit keys are in use, and so is MD5.
  kPlatform,
};

enum class KeyType { kRsa, kEc, kDsa };
// PSS: MGF1 with the same digest, salt of the digest's size.
enum class RsaPadding { kPkcs1, kPss };

struct SignatureAlgorithm {
  KeyType key_type = KeyType::kRsa;
  crypto::DigestAlgorithm digest = crypto::DigestAlgorithm::kSha256;
  RsaPadding padding = RsaPadding::kPkcs1;  // RSA only
  bool operator==(const SignatureAlgorithm&) const = default;
};
inline constexpr SignatureAlgorithm kEcdsaSha256{KeyType::kEc, crypto::DigestAlgorithm::kSha256};
inline constexpr SignatureAlgorithm kEcdsaSha384{KeyType::kEc, crypto::DigestAlgorithm::kSha384};
inline constexpr SignatureAlgorithm kEcdsaSha512{KeyType::kEc, crypto::DigestAlgorithm::kSha512};
inline constexpr SignatureAlgorithm kRsaSha256{KeyType::kRsa, crypto::DigestAlgorithm::kSha256};
inline constexpr SignatureAlgorithm kRsaSha384{KeyType::kRsa, crypto::DigestAlgorithm::kSha384};
inline constexpr SignatureAlgorithm kRsaSha512{KeyType::kRsa, crypto::DigestAlgorithm::kSha512};
// "ecdsa-with-SHA256"; "RSA-PSS with SHA2-256" of those that no chain is signed with.
std::string to_string(SignatureAlgorithm algorithm);

// One of the six above, which are all that genuine chains use. `algorithm` is a DER
// AlgorithmIdentifier. Parameters may be absent or NULL: genuine phones write NULL with ECDSA,
// where RFC 5758 section 3.2 asks for nothing.
Result<SignatureAlgorithm> parse_signature_algorithm(ByteView algorithm);

enum class SignatureCheck {
  kGood,
  kBad,       // well formed, and not by this key over this data
  kUnusable,  // of a length or encoding that the key's algorithm does not produce
};

// Immutable; usable from many threads.
class PublicKey {
 public:
  // DER SubjectPublicKeyInfo. kMalformedKey, kUnsupportedKey.
  static Result<PublicKey> from_spki(ByteView spki, KeyPolicy policy = KeyPolicy::kAttestation);
  // 04 || x || y on P-256.
  static Result<PublicKey> from_p256_point(ByteView point);

  KeyType type() const;
  // "EC P-256", "RSA 2048"
  const std::string& kind() const;
  // The key's one DER encoding. Differs from what it was read from when that was sloppy.
  Bytes spki() const;

  // `signature`: for ECDSA and DSA the DER of r and s, for RSA its bytes. kWrongKeyType,
  // kBadSignature.
  Result<void> verify(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const;
  // The same, for who must tell a bad signature from bytes that are none. `algorithm.key_type` must
  // be type().
  SignatureCheck check(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const;

 private:
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// The content of an SPKI's BIT STRING, whatever the algorithm: for EC the point.
Result<ByteView> spki_key_bits(ByteView spki);

// A DER SubjectPublicKeyInfo as Android gives it back: as it stands, save that an RSA modulus that
// was stored as a negative number, as early tools did, is written as the positive one. Empty when
// it is none.
Bytes platform_spki(ByteView spki);

}  // namespace touchmark::pki
