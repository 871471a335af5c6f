#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <array>

#include "crypto/openssl.h"

namespace touchmark {
namespace {

using Implementation = openssl::Owned<EVP_MD, EVP_MD_free>;

struct Info {
  const char* name;
  std::size_t size;
};
constexpr std::array<Info, 6> kInfo{{{"MD5", 16},
                                     {"SHA1", 20},
                                     {"SHA2-224", 28},
                                     {"SHA2-256", 32},
                                     {"SHA2-384", 48},
                                     {"SHA2-512", 64}}};

const Info& info(crypto::DigestAlgorithm algorithm) {
  return kInfo.at(static_cast<std::size_t>(algorithm));
}

}  // namespace

const EVP_MD* openssl::message_digest(crypto::DigestAlgorithm algorithm) {
  static const auto fetched = [] {
    std::array<Implementation, kInfo.size()> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].reset(EVP_MD_fetch(nullptr, kInfo[i].name, nullptr));
      require(all[i] != nullptr, kInfo[i].name);
    }
    return all;
  }();
  return fetched.at(static_cast<std::size_t>(algorithm)).get();
}

namespace crypto {

using openssl::as_int;
using openssl::require;

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

struct Digester::State {
  openssl::DigestContext context{EVP_MD_CTX_new()};
  std::size_t size = 0;
};

Digester::Digester(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
  state_->size = digest_size(algorithm);
  require(
      EVP_DigestInit_ex2(state_->context.get(), openssl::message_digest(algorithm), nullptr) == 1,
      "digest start");
}
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::update(ByteView data) {
  require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1, "digest update");
}

void Digester::finish_into(std::span<std::byte> out) {
  require(EVP_DigestFinal_ex(state_->context.get(), uchars(out), nullptr) == 1, "digest end");
}

Bytes Digester::finish() {
  Bytes out(state_->size);
  finish_into(out);
  return out;
}

Sha256Digest Sha256::finish() {
  Sha256Digest out;
  digester_.finish_into(out);
  return out;
}

std::size_t digest_size(DigestAlgorithm algorithm) { return info(algorithm).size; }
const char* digest_name(DigestAlgorithm algorithm) { return info(algorithm).name; }

Bytes digest(DigestAlgorithm algorithm, ByteView data) {
  Digester digester(algorithm);
  digester.update(data);
  return digester.finish();
}

}  // namespace crypto
}  // namespace touchmark
