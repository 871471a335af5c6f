#include "crypto/seal.h"

#include "crypto/openssl.h"

namespace touchmark::crypto {

using openssl::as_int;
using openssl::require;

namespace {

constexpr std::size_t kSealKeyBytes = 32;
constexpr std::size_t kSealNonceBytes = 12;
constexpr std::size_t kSealTagBytes = 16;

}  // namespace

Bytes seal(ByteView key, std::string_view context, ByteView plain, Random& random) {
  require(key.size() == kSealKeyBytes, "a seal key is 32 bytes");
  Bytes out(kSealNonceBytes + plain.size() + kSealTagBytes);
  std::span<std::byte> nonce = std::span(out).first(kSealNonceBytes);
  std::span<std::byte> body = std::span(out).subspan(kSealNonceBytes, plain.size());
  std::span<std::byte> tag = std::span(out).last(kSealTagBytes);
  random.fill(nonce);
  openssl::CipherContext cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  bool ok =
      EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), uchars(key), uchars(nonce), nullptr) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &length, uchars(as_bytes(context)),
                        as_int(context.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), uchars(body), &length, uchars(plain), as_int(plain.size())) ==
          1 &&
      EVP_EncryptFinal_ex(cipher.get(), uchars(tag), &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kSealTagBytes, tag.data()) == 1;
  require(ok, "AES-256-GCM");
  return out;
}

Result<Bytes> open_sealed(ByteView key, std::string_view context, ByteView sealed) {
  require(key.size() == kSealKeyBytes, "a seal key is 32 bytes");
  if (sealed.size() < kSealNonceBytes + kSealTagBytes) {
    return fail(CryptoError::kSealBroken, "sealed data is shorter than its nonce and tag");
  }
  ByteView nonce = sealed.first(kSealNonceBytes);
  ByteView body = sealed.subspan(kSealNonceBytes, sealed.size() - kSealNonceBytes - kSealTagBytes);
  Bytes tag = to_bytes(sealed.last(kSealTagBytes));  // OpenSSL's control takes it as writable
  Bytes out(body.size());
  openssl::CipherContext cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  bool ok =
      EVP_DecryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), uchars(key), uchars(nonce), nullptr) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &length, uchars(as_bytes(context)),
                        as_int(context.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), uchars(std::span(out)), &length, uchars(body),
                        as_int(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kSealTagBytes, tag.data()) == 1;
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
