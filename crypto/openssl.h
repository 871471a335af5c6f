// Owning pointers for OpenSSL's objects, and what to do when OpenSSL fails where it cannot. For .cc
// files only: no public header shows OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

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
using Kdf = Owned<EVP_KDF, EVP_KDF_free>;
using KdfContext = Owned<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using Bio = Owned<BIO, BIO_free_all>;
using BigNumber = Owned<BIGNUM, BN_free>;
using EcdsaSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

// For calls that fail only when memory or the library itself is broken. Going on would mean a key,
// a digest or a signature that is not one.
inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "touchmark: OpenSSL failed: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

// SHA-256 fetched once: a fetch on each call costs more than hashing a short message.
inline const EVP_MD* sha256() {
  static const Owned<EVP_MD, EVP_MD_free> digest(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  require(digest != nullptr, "SHA-256");
  return digest.get();
}

}  // namespace touchmark::openssl
