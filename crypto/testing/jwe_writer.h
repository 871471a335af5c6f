// Makes the JWE of Play Integrity's tokens for tests. The product only reads it.
#pragma once

#include <string>

#include "base/encoding.h"
#include "base/json.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "crypto/openssl.h"

namespace touchmark::testing {

// AES key wrap (RFC 3394) with a 32-byte key.
inline Bytes wrap_key(ByteView key, ByteView content_key) {
  openssl::CipherContext context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Bytes out(content_key.size() + 8);
  int length = 0;
  openssl::require(
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_wrap(), uchars(key), nullptr, nullptr) == 1 &&
          EVP_EncryptUpdate(context.get(), uchars(std::span(out)), &length, uchars(content_key),
                            static_cast<int>(content_key.size())) == 1,
      "AES key wrap");
  return out;
}

// A token with any header, around any text. `key_size`: of the content key, as wrapped.
inline std::string make_jwe(ByteView key, const Json& header, std::string_view plain,
                            std::size_t key_size = 32) {
  SystemRandom random;
  const Bytes content_key = random.bytes(key_size);
  const std::string head = base64url_encode(as_bytes(dump_json(header)));
  Bytes usable = content_key;
  usable.resize(32);
  const Bytes sealed = crypto::seal(usable, head, as_bytes(plain), random);
  const ByteView view = sealed;
  return head + "." + base64url_encode(wrap_key(key, content_key)) + "." +
         base64url_encode(view.first(12)) + "." +
         base64url_encode(view.subspan(12, view.size() - 28)) + "." +
         base64url_encode(view.last(16));
}

}  // namespace touchmark::testing
