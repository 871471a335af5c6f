// The keys of the protocol: EC P-256, signing with ECDSA over SHA-256.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "crypto/error.h"

namespace touchmark::crypto {

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

  bool has_private() const { return private_ != nullptr; }
  Bytes public_der() const;   // DER SubjectPublicKeyInfo
  Bytes private_der() const;  // PKCS #8; only with has_private()
  std::string private_pem() const;
  // x and y, 32 bytes each.
  std::pair<Bytes, Bytes> coordinates() const;

  // 64 bytes r || s over SHA-256 of data (JOSE's form, RFC 7518 section 3.4).
  Bytes sign(ByteView data) const;
  Result<void> verify(ByteView data, ByteView signature) const;

 private:
  using Point = std::array<std::byte, 64>;  // x || y
  EcKey(std::shared_ptr<const void> public_half, const Point& point)
      : public_(std::move(public_half)), point_(point) {}
  static Result<EcKey> with_private(std::shared_ptr<void> key);
  static Result<EcKey> from_point(const Point& point);

  std::shared_ptr<const void> public_;  // of p256.h
  Point point_;
  std::shared_ptr<void> private_;  // EVP_PKEY; null without the private half
};

}  // namespace touchmark::crypto
