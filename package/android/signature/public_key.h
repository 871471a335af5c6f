// Signature checks with the keys that sign APKs: RSA (PKCS #1 v1.5 and PSS), ECDSA and DSA. No
// minimum strength: the platform accepts 512-bit RSA keys and MD5, and so do the package rules.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "package/android/signature/digest.h"

namespace touchmark::package::signature {

enum class KeyType { kRsa, kEc, kDsa };
enum class RsaPadding {
  kPkcs1,
  kPss
};  // PSS: MGF1 with the same digest, salt of the digest's size

struct SignatureScheme {
  KeyType key_type = KeyType::kRsa;
  DigestAlgorithm digest = DigestAlgorithm::kSha256;
  RsaPadding padding = RsaPadding::kPkcs1;  // RSA only
};

enum class SignatureCheck {
  kGood,
  kBad,       // well formed, and not by this key over this data
  kUnusable,  // of a length or encoding that the key's algorithm does not produce
};

// Immutable; usable from many threads.
class PublicKey {
 public:
  // DER SubjectPublicKeyInfo. Nothing for what the platform cannot use: other key types, RSA over
  // 16384 bits, curves other than P-256, P-384 and P-521, curves spelt out as parameters.
  static std::optional<PublicKey> from_der(ByteView spki);

  KeyType type() const { return type_; }
  // The key's one DER encoding. Differs from what it was read from when that was sloppy, as in
  // certificates of early tools that store an RSA modulus as a negative number.
  Bytes der() const;
  // `scheme.key_type` must be type().
  SignatureCheck verify(const SignatureScheme& scheme, ByteView data, ByteView signature) const;

 private:
  PublicKey(std::shared_ptr<void> key, KeyType type) : key_(std::move(key)), type_(type) {}
  std::shared_ptr<void> key_;  // EVP_PKEY
  KeyType type_;
};

}  // namespace touchmark::package::signature
