// Digests, MACs, key derivation and authenticated encryption, over OpenSSL's EVP.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"

namespace touchmark::crypto {

enum class CryptoError {
  kBadKey,        // not a key of the expected type and curve
  kBadSignature,  // the signature does not verify
  kSealBroken,    // sealed data was changed, or another key sealed it
};
std::string_view error_id(CryptoError error);

Sha256Digest sha256(ByteView data);
Sha256Digest hmac_sha256(ByteView key, ByteView data);
// HKDF-SHA256 (RFC 5869), empty salt; `info` names the purpose, so that one root key gives many.
Bytes hkdf_sha256(ByteView key, std::string_view info, std::size_t length);
// Same time for equal and unequal content; false at once when the lengths differ.
bool constant_time_equal(ByteView a, ByteView b);

// Streaming SHA-256. Not thread-safe; movable.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView data);
  // Ends the stream; the object may only be destroyed or assigned afterwards.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// AES-256-GCM. `key` is 32 bytes. Output: 12-byte nonce, ciphertext, 16-byte tag.
// `context` is authenticated, not stored: data sealed for one purpose cannot be opened for another.
Bytes seal(ByteView key, std::string_view context, ByteView plain, Random& random);
Result<Bytes> open_sealed(ByteView key, std::string_view context, ByteView sealed);

// An EC P-256 key. The private half is present only in keys made by generate() or from_private_*().
// Immutable after construction, so usable from many threads.
class EcKey {
 public:
  static EcKey generate();
  static Result<EcKey> from_private_pem(std::string_view pem);
  static Result<EcKey> from_private_der(ByteView pkcs8);
  // DER SubjectPublicKeyInfo.
  static Result<EcKey> from_public_der(ByteView spki);
  // Uncompressed affine coordinates, 32 bytes each, as in a JWK. Refuses points off the curve.
  static Result<EcKey> from_coordinates(ByteView x, ByteView y);

  bool has_private() const { return has_private_; }
  Bytes public_der() const;   // DER SubjectPublicKeyInfo
  Bytes private_der() const;  // PKCS #8; only with has_private()
  std::string private_pem() const;
  // x and y, 32 bytes each.
  std::pair<Bytes, Bytes> coordinates() const;

  // 64 bytes r || s over SHA-256 of data (JOSE's form, RFC 7518 section 3.4).
  Bytes sign(ByteView data) const;
  Result<void> verify(ByteView data, ByteView signature) const;

 private:
  EcKey(std::shared_ptr<void> key, bool has_private)
      : key_(std::move(key)), has_private_(has_private) {}
  std::shared_ptr<void> key_;  // EVP_PKEY
  bool has_private_;
};

}  // namespace touchmark::crypto
