#include "crypto/ec_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/openssl.h"
#include "crypto/p256.h"

namespace touchmark::crypto {

using openssl::require;

namespace {

constexpr std::size_t kCoordinateBytes = 32;
// What stands before x || y in the one DER SubjectPublicKeyInfo of an uncompressed P-256 key
// (RFC 5480): id-ecPublicKey, prime256v1, BIT STRING of 65 bytes that begin with 04.
constexpr std::array<unsigned char, 27> kSpkiPrefix = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::size_t kSpkiBytes = kSpkiPrefix.size() + 2 * kCoordinateBytes;

EVP_PKEY* pkey(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }
std::shared_ptr<void> share(openssl::Pkey key) { return {key.release(), EVP_PKEY_free}; }

tl::unexpected<Error> bad_key(std::string message) {
  ERR_clear_error();
  return fail(CryptoError::kBadKey, std::move(message));
}

int encode_pkcs8(EVP_PKEY* key, unsigned char** der) {
  openssl::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(EVP_PKEY2PKCS8(key));
  return i2d_PKCS8_PRIV_KEY_INFO(info.get(), der);
}

}  // namespace

Result<EcKey> EcKey::with_private(std::shared_ptr<void> key) {
  Point point;
  const auto read = [&](const char* name, unsigned char* out) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(pkey(key), name, &raw) != 1) return false;
    const openssl::BigNumber number(raw);
    return BN_bn2binpad(raw, out, kCoordinateBytes) == kCoordinateBytes;
  };
  unsigned char* x = uchars(std::span<std::byte>(point));
  if (!read(OSSL_PKEY_PARAM_EC_PUB_X, x) || !read(OSSL_PKEY_PARAM_EC_PUB_Y, x + kCoordinateBytes)) {
    return bad_key("the private key has no point");
  }
  auto out = from_point(point);
  if (out) out->private_ = std::move(key);
  return out;
}

EcKey EcKey::generate() {
  openssl::Pkey key(EVP_EC_gen("prime256v1"));
  require(key != nullptr, "generation of a P-256 key");
  auto out = with_private(share(std::move(key)));
  require(out.has_value(), "generation of a P-256 key");
  return std::move(*out);
}

Result<EcKey> EcKey::from_private_pem(std::string_view pem) {
  if (pem.size() > 64 * 1024) return bad_key("a PEM private key over 64 KiB");
  openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  openssl::Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, openssl::no_passphrase, nullptr));
  if (!key) return bad_key("not an unencrypted PEM private key");
  if (!openssl::is_p256(key.get())) return bad_key("the private key is not of curve P-256");
  return with_private(share(std::move(key)));
}

Result<EcKey> EcKey::from_private_der(ByteView pkcs8) {
  if (pkcs8.size() > 64 * 1024) return bad_key("a private key over 64 KiB");
  const unsigned char* cursor = uchars(pkcs8);
  openssl::Pkey key(d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(pkcs8.size())));
  if (!key || cursor != uchars(pkcs8) + pkcs8.size()) return bad_key("not a DER private key");
  if (!openssl::is_p256(key.get())) return bad_key("the private key is not of curve P-256");
  return with_private(share(std::move(key)));
}

Result<EcKey> EcKey::from_point(const Point& point) {
  auto key = p256::public_key(point);
  if (!key) return fail(CryptoError::kBadKey, "the public point is not on curve P-256");
  return EcKey(std::move(key), point);
}

// Only the one uncompressed, named-curve form is taken: the digest of a key's DER names a device,
// so a key must not have a second spelling.
Result<EcKey> EcKey::from_public_der(ByteView spki) {
  if (spki.size() != kSpkiBytes ||
      !std::equal(kSpkiPrefix.begin(), kSpkiPrefix.end(), uchars(spki))) {
    return bad_key("not the SubjectPublicKeyInfo of an uncompressed P-256 key");
  }
  Point point;
  std::ranges::copy(spki.last(point.size()), point.begin());
  return from_point(point);
}

Result<EcKey> EcKey::from_coordinates(ByteView x, ByteView y) {
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) {
    return bad_key("a P-256 coordinate is 32 bytes, got " + std::to_string(x.size()) + " and " +
                   std::to_string(y.size()));
  }
  Point point;
  std::ranges::copy(x, point.begin());
  std::ranges::copy(y, point.begin() + kCoordinateBytes);
  return from_point(point);
}

Bytes EcKey::public_der() const {
  Bytes out;
  out.reserve(kSpkiBytes);
  append(out, std::as_bytes(std::span(kSpkiPrefix)));
  append(out, point_);
  return out;
}

Bytes EcKey::private_der() const {
  require(has_private(), "private_der() of a public key");
  return openssl::encode<encode_pkcs8>(pkey(private_));
}

std::string EcKey::private_pem() const {
  require(has_private(), "private_pem() of a public key");
  openssl::Bio bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey(private_), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1,
          "PEM of a key");
  char* data = nullptr;
  long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(length));
}

std::pair<Bytes, Bytes> EcKey::coordinates() const {
  const ByteView point(point_);
  return {to_bytes(point.first(kCoordinateBytes)), to_bytes(point.last(kCoordinateBytes))};
}

Bytes EcKey::sign(ByteView data) const {
  require(has_private(), "sign() with a public key");
  openssl::DigestContext context(EVP_MD_CTX_new());
  std::array<unsigned char, 80> der;  // the longest DER form of a P-256 signature is 72 bytes
  std::size_t length = der.size();
  bool ok =
      EVP_DigestSignInit(context.get(), nullptr, openssl::sha256(), nullptr, pkey(private_)) == 1 &&
      EVP_DigestSign(context.get(), der.data(), &length, uchars(data), data.size()) == 1;
  require(ok, "ECDSA signature");
  const unsigned char* cursor = der.data();
  openssl::EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(length)));
  require(signature != nullptr, "ECDSA signature");
  Bytes out(2 * kCoordinateBytes);
  unsigned char* r = uchars(std::span(out));
  ok = BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), r, kCoordinateBytes) == kCoordinateBytes &&
       BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), r + kCoordinateBytes, kCoordinateBytes) ==
           kCoordinateBytes;
  require(ok, "ECDSA signature");
  return out;
}

Result<void> EcKey::verify(ByteView data, ByteView signature) const {
  if (signature.size() != 2 * kCoordinateBytes ||
      !p256::verify(public_.get(), sha256(data), signature)) {
    return fail(CryptoError::kBadSignature, "the ECDSA P-256 signature does not verify");
  }
  return {};
}

}  // namespace touchmark::crypto
