#include "crypto/ec_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/openssl.h"

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

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                        nullptr) == 1 &&
         std::string_view(group.data()) == "prime256v1";
}

tl::unexpected<Error> bad_key(std::string message) {
  ERR_clear_error();
  return fail(CryptoError::kBadKey, std::move(message));
}

int encode_pkcs8(EVP_PKEY* key, unsigned char** der) {
  openssl::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(EVP_PKEY2PKCS8(key));
  return i2d_PKCS8_PRIV_KEY_INFO(info.get(), der);
}

Result<void> bad_signature() {
  ERR_clear_error();
  return fail(CryptoError::kBadSignature, "the ECDSA P-256 signature does not verify");
}

}  // namespace

EcKey EcKey::generate() {
  openssl::Pkey key(EVP_EC_gen("prime256v1"));
  require(key != nullptr, "generation of a P-256 key");
  return EcKey(share(std::move(key)), true);
}

Result<EcKey> EcKey::from_private_pem(std::string_view pem) {
  if (pem.size() > 64 * 1024) return bad_key("a PEM private key over 64 KiB");
  openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  openssl::Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, openssl::no_passphrase, nullptr));
  if (!key) return bad_key("not an unencrypted PEM private key");
  if (!is_p256(key.get())) return bad_key("the private key is not of curve P-256");
  return EcKey(share(std::move(key)), true);
}

Result<EcKey> EcKey::from_private_der(ByteView pkcs8) {
  if (pkcs8.size() > 64 * 1024) return bad_key("a private key over 64 KiB");
  const unsigned char* cursor = uchars(pkcs8);
  openssl::Pkey key(d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(pkcs8.size())));
  if (!key || cursor != uchars(pkcs8) + pkcs8.size()) return bad_key("not a DER private key");
  if (!is_p256(key.get())) return bad_key("the private key is not of curve P-256");
  return EcKey(share(std::move(key)), true);
}

// Only the one uncompressed, named-curve form is taken: the digest of a key's DER names a device,
// so a key must not have a second spelling.
Result<EcKey> EcKey::from_public_der(ByteView spki) {
  if (spki.size() != kSpkiBytes ||
      !std::equal(kSpkiPrefix.begin(), kSpkiPrefix.end(), uchars(spki))) {
    return bad_key("not the SubjectPublicKeyInfo of an uncompressed P-256 key");
  }
  const unsigned char* cursor = uchars(spki);
  openssl::Pkey key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki.size())));
  if (!key) return bad_key("the public point is not on curve P-256");
  return EcKey(share(std::move(key)), false);
}

Result<EcKey> EcKey::from_coordinates(ByteView x, ByteView y) {
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) {
    return bad_key("a P-256 coordinate is 32 bytes, got " + std::to_string(x.size()) + " and " +
                   std::to_string(y.size()));
  }
  Bytes spki = to_bytes(std::as_bytes(std::span(kSpkiPrefix)));
  append(spki, x);
  append(spki, y);
  return from_public_der(spki);
}

Bytes EcKey::public_der() const { return openssl::encode<i2d_PUBKEY>(pkey(key_)); }

Bytes EcKey::private_der() const {
  require(has_private_, "private_der() of a public key");
  return openssl::encode<encode_pkcs8>(pkey(key_));
}

std::string EcKey::private_pem() const {
  require(has_private_, "private_pem() of a public key");
  openssl::Bio bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey(key_), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1,
          "PEM of a key");
  char* data = nullptr;
  long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(length));
}

std::pair<Bytes, Bytes> EcKey::coordinates() const {
  auto coordinate = [this](const char* name) {
    BIGNUM* raw = nullptr;
    require(EVP_PKEY_get_bn_param(pkey(key_), name, &raw) == 1, "coordinate of a key");
    openssl::BigNumber number(raw);
    Bytes out(kCoordinateBytes);
    require(BN_bn2binpad(raw, uchars(std::span(out)), kCoordinateBytes) == kCoordinateBytes,
            "coordinate of a key");
    return out;
  };
  return {coordinate(OSSL_PKEY_PARAM_EC_PUB_X), coordinate(OSSL_PKEY_PARAM_EC_PUB_Y)};
}

Bytes EcKey::sign(ByteView data) const {
  require(has_private_, "sign() with a public key");
  openssl::DigestContext context(EVP_MD_CTX_new());
  std::array<unsigned char, 80> der;  // the longest DER form of a P-256 signature is 72 bytes
  std::size_t length = der.size();
  bool ok =
      EVP_DigestSignInit(context.get(), nullptr, openssl::sha256(), nullptr, pkey(key_)) == 1 &&
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
  if (signature.size() != 2 * kCoordinateBytes) return bad_signature();
  BIGNUM* r = BN_bin2bn(uchars(signature.first(kCoordinateBytes)), kCoordinateBytes, nullptr);
  BIGNUM* s = BN_bin2bn(uchars(signature.last(kCoordinateBytes)), kCoordinateBytes, nullptr);
  openssl::EcdsaSignature pair(ECDSA_SIG_new());
  require(ECDSA_SIG_set0(pair.get(), r, s) == 1, "ECDSA signature");
  std::array<unsigned char, 80> der;
  unsigned char* cursor = der.data();
  int length = i2d_ECDSA_SIG(pair.get(), &cursor);
  require(length > 0, "ECDSA signature");
  openssl::DigestContext context(EVP_MD_CTX_new());
  require(EVP_DigestVerifyInit(context.get(), nullptr, openssl::sha256(), nullptr, pkey(key_)) == 1,
          "ECDSA verification");
  if (EVP_DigestVerify(context.get(), der.data(), static_cast<std::size_t>(length), uchars(data),
                       data.size()) != 1) {
    return bad_signature();
  }
  return {};
}

}  // namespace touchmark::crypto
