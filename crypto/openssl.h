// Owning pointers for OpenSSL's objects, and what to do when OpenSSL fails where it cannot. For .cc
// files only: no public header shows OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "crypto/digest.h"

namespace touchmark::openssl {

template <auto kFree>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <class T, auto kFree>
using Owned = std::unique_ptr<T, Deleter<kFree>>;

using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Bio = Owned<BIO, BIO_free_all>;
using BigNumber = Owned<BIGNUM, BN_free>;
using EcdsaSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using X509Owned = Owned<X509, X509_free>;

// For calls that fail only when memory or the library itself is broken. Going on would mean a key,
// a digest or a signature that is not one.
inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "touchmark: OpenSSL failed: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

inline bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                        nullptr) == 1 &&
         std::string_view(group.data()) == "prime256v1";
}

// For interfaces that count in int.
inline int as_int(std::size_t size) {
  require(size <= 0x7fffffff, "input over 2 GiB");
  return static_cast<int>(size);
}

// A PEM file may ask for a passphrase; nothing here has anybody to type one.
inline int no_passphrase(char*, int, int, void*) { return -1; }

inline Bio memory_bio(ByteView bytes) {
  Bio bio(BIO_new_mem_buf(bytes.data(), as_int(bytes.size())));
  require(bio != nullptr, "memory BIO");
  return bio;
}
inline ByteView bytes_of(const Bio& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return as_bytes(std::string_view(data, size > 0 ? static_cast<std::size_t>(size) : 0));
}

// What one of OpenSSL's i2d functions writes; it may be a private key, so no copy is left behind.
template <auto kI2d, class T>
Bytes encode(T* object) {
  unsigned char* der = nullptr;
  const int length = kI2d(object, &der);
  require(length > 0, "DER");
  const Bytes out = to_bytes(std::as_bytes(std::span(der, static_cast<std::size_t>(length))));
  OPENSSL_clear_free(der, static_cast<std::size_t>(length));
  return out;
}
// What one of its d2i functions reads at the start of `der`; nullptr when it cannot. `rest`
// receives what follows.
template <auto kD2i>
auto decode(ByteView der, ByteView* rest = nullptr) {
  const unsigned char* at = uchars(der);
  auto* object = kD2i(nullptr, &at, static_cast<long>(der.size()));
  if (rest != nullptr && object != nullptr) {
    *rest = der.subspan(static_cast<std::size_t>(at - uchars(der)));
  }
  return object;
}

// Each algorithm is fetched once: a fetch takes a lock, and costs more than hashing a short
// message.
const EVP_MD* message_digest(crypto::DigestAlgorithm algorithm);
inline const EVP_MD* sha256() { return message_digest(crypto::DigestAlgorithm::kSha256); }

}  // namespace touchmark::openssl
