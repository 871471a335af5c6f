#include "crypto/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "crypto/openssl.h"

namespace touchmark::crypto {

using openssl::require;

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

int as_int(std::size_t size) {
  require(size <= 0x7fffffff, "input over 2 GiB");
  return static_cast<int>(size);
}

}  // namespace

std::string_view error_id(CryptoError error) {
  using enum CryptoError;
  static constexpr auto kIds = error_table<CryptoError>({
      {kBadKey, "crypto.bad-key"},
      {kBadSignature, "crypto.bad-signature"},
      {kSealBroken, "crypto.seal-broken"},
  });
  return kIds[error];
}

Sha256Digest sha256(ByteView data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

Sha256Digest hmac_sha256(ByteView key, ByteView data) {
  Sha256Digest out;
  unsigned length = 0;
  // OpenSSL takes a null key for "the key of the call before"; an empty one needs an address.
  static constexpr unsigned char kEmpty = 0;
  const unsigned char* key_data = key.empty() ? &kEmpty : uchars(key);
  const unsigned char* result = HMAC(openssl::sha256(), key_data, as_int(key.size()), uchars(data),
                                     data.size(), uchars(std::span<std::byte>(out)), &length);
  require(result != nullptr && length == out.size(), "HMAC-SHA-256");
  return out;
}

Bytes hkdf_sha256(ByteView key, std::string_view info, std::size_t length) {
  openssl::Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  openssl::KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  require(context != nullptr, "HKDF");
  char digest[] = "SHA256";
  // OSSL_PARAM is not const-correct; the values are only read.
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_octet_string(
                             OSSL_KDF_PARAM_KEY, const_cast<std::byte*>(key.data()), key.size()),
                         OSSL_PARAM_construct_octet_string(
                             OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()), info.size()),
                         OSSL_PARAM_construct_end()};
  Bytes out(length);
  require(EVP_KDF_derive(context.get(), uchars(std::span(out)), out.size(), params) == 1,
          "HKDF-SHA-256");
  return out;
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Sha256::State {
  openssl::DigestContext context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(EVP_DigestInit_ex2(state_->context.get(), openssl::sha256(), nullptr) == 1, "SHA-256");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView data) {
  require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1, "SHA-256");
}

Sha256Digest Sha256::finish() {
  Sha256Digest out;
  require(
      EVP_DigestFinal_ex(state_->context.get(), uchars(std::span<std::byte>(out)), nullptr) == 1,
      "SHA-256");
  return out;
}

Bytes seal(ByteView key, std::string_view context, ByteView plain, Random& random) {
  require(key.size() == kKeyBytes, "a seal key is 32 bytes");
  Bytes out(kNonceBytes + plain.size() + kTagBytes);
  std::span<std::byte> nonce = std::span(out).first(kNonceBytes);
  std::span<std::byte> body = std::span(out).subspan(kNonceBytes, plain.size());
  std::span<std::byte> tag = std::span(out).last(kTagBytes);
  random.fill(nonce);
  openssl::CipherContext cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  bool ok = EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), uchars(key), uchars(nonce),
                                nullptr) == 1 &&
            EVP_EncryptUpdate(cipher.get(), nullptr, &length, uchars(as_bytes(context)),
                              as_int(context.size())) == 1 &&
            EVP_EncryptUpdate(cipher.get(), uchars(body), &length, uchars(plain),
                              as_int(plain.size())) == 1 &&
            EVP_EncryptFinal_ex(cipher.get(), uchars(tag), &length) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag.data()) == 1;
  require(ok, "AES-256-GCM");
  return out;
}

Result<Bytes> open_sealed(ByteView key, std::string_view context, ByteView sealed) {
  require(key.size() == kKeyBytes, "a seal key is 32 bytes");
  if (sealed.size() < kNonceBytes + kTagBytes) {
    return fail(CryptoError::kSealBroken, "sealed data is shorter than its nonce and tag");
  }
  ByteView nonce = sealed.first(kNonceBytes);
  ByteView body = sealed.subspan(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  Bytes tag = to_bytes(sealed.last(kTagBytes));  // OpenSSL's control takes it as writable
  Bytes out(body.size());
  openssl::CipherContext cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  bool ok = EVP_DecryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), uchars(key), uchars(nonce),
                                nullptr) == 1 &&
            EVP_DecryptUpdate(cipher.get(), nullptr, &length, uchars(as_bytes(context)),
                              as_int(context.size())) == 1 &&
            EVP_DecryptUpdate(cipher.get(), uchars(std::span(out)), &length, uchars(body),
                              as_int(body.size())) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1;
  require(ok, "AES-256-GCM");
  // The last call compares the tag; a failure here is the only one that data can cause.
  if (EVP_DecryptFinal_ex(cipher.get(), uchars(std::span(tag)), &length) != 1) {
    ERR_clear_error();
    return fail(CryptoError::kSealBroken,
                "sealed data was changed, or sealed under another key or purpose");
  }
  return out;
}

}  // namespace touchmark::crypto
