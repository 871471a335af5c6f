// SHA256_Init() and its like are deprecated since OpenSSL 3.0, and used all the same: they need no
// memory of their own. A digest by EVP_MD_CTX has three allocations, which for short inputs cost
// more than the hash, and an attestation has two dozen (docs/speed.md).
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>

#include <new>

#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace touchmark::crypto {
namespace {

SHA256_CTX* context(std::array<std::uint64_t, 14>& state) {
  static_assert(sizeof(SHA256_CTX) <= sizeof state &&
                alignof(SHA256_CTX) <= alignof(std::uint64_t));
  return std::launder(reinterpret_cast<SHA256_CTX*>(state.data()));
}

}  // namespace

Sha256::Sha256() { openssl::require(SHA256_Init(context(state_)) == 1, "SHA-256"); }

void Sha256::update(ByteView data) {
  openssl::require(SHA256_Update(context(state_), data.data(), data.size()) == 1, "SHA-256");
}

Sha256Digest Sha256::finish() {
  Sha256Digest out;
  openssl::require(SHA256_Final(uchars(std::span<std::byte>(out)), context(state_)) == 1,
                   "SHA-256");
  return out;
}

Sha256Digest sha256(ByteView data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

}  // namespace touchmark::crypto
