#include "crypto/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

#include "base/encoding.h"
#include "crypto/error.h"
#include "crypto/openssl.h"

namespace touchmark::crypto {

using openssl::require;

namespace {

constexpr std::size_t kHalfBytes = 32;  // of an ES256 signature
constexpr unsigned kRsaBits = 2048;
constexpr std::array kAlgorithms{SigningAlgorithm::kRs256, SigningAlgorithm::kEs256,
                                 SigningAlgorithm::kEdDsa};

EVP_PKEY* raw_key(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }

bool is_of(const EVP_PKEY* key, SigningAlgorithm algorithm) {
  switch (algorithm) {
    case SigningAlgorithm::kRs256:
      return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= int{kRsaBits};
    case SigningAlgorithm::kEs256:
      return openssl::is_p256(key);
    case SigningAlgorithm::kEdDsa:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
  }
  return false;
}

// Ed25519 hashes the data itself.
const EVP_MD* digest_of(SigningAlgorithm algorithm) {
  return algorithm == SigningAlgorithm::kEdDsa ? nullptr : EVP_sha256();
}

Bytes number_of(const EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &raw) == 1, "key parameter");
  const openssl::BigNumber number(raw);
  Bytes out(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number.get())));
  require(BN_bn2binpad(number.get(), uchars(std::span(out)), openssl::as_int(out.size())) >= 0,
          "key parameter");
  return out;
}

Bytes to_jose(ByteView der) {
  const unsigned char* at = uchars(der);
  const openssl::EcdsaSignature signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  require(signature != nullptr, "ECDSA signature");
  Bytes out(2 * kHalfBytes);
  unsigned char* const bytes = uchars(std::span(out));
  constexpr int kHalf = int{kHalfBytes};
  require(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes, kHalf) == kHalf &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes + kHalfBytes, kHalf) == kHalf,
          "ECDSA signature");
  return out;
}

// Empty for what is none.
Bytes from_jose(ByteView signature) {
  if (signature.size() != 2 * kHalfBytes) return {};
  const openssl::EcdsaSignature pair(ECDSA_SIG_new());
  openssl::BigNumber r(BN_bin2bn(uchars(signature), int{kHalfBytes}, nullptr));
  openssl::BigNumber s(BN_bin2bn(uchars(signature.subspan(kHalfBytes)), int{kHalfBytes}, nullptr));
  require(pair != nullptr && r != nullptr && s != nullptr, "ECDSA signature");
  require(ECDSA_SIG_set0(pair.get(), r.release(), s.release()) == 1, "ECDSA signature");
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  require(size > 0, "ECDSA signature");
  const auto release = [](unsigned char* bytes) { OPENSSL_free(bytes); };
  const std::unique_ptr<unsigned char, decltype(release)> owner(der);
  const ByteView bytes = as_bytes(
      std::string_view(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string_view to_string(SigningAlgorithm algorithm) {
  switch (algorithm) {
    case SigningAlgorithm::kRs256:
      return "RS256";
    case SigningAlgorithm::kEs256:
      return "ES256";
    case SigningAlgorithm::kEdDsa:
      return "EdDSA";
  }
  return "";
}

std::optional<SigningAlgorithm> parse_signing_algorithm(std::string_view alg) {
  for (const SigningAlgorithm algorithm : kAlgorithms) {
    if (to_string(algorithm) == alg) return algorithm;
  }
  return std::nullopt;
}

SigningKey SigningKey::generate(SigningAlgorithm algorithm) {
  EVP_PKEY* made = nullptr;
  switch (algorithm) {
    case SigningAlgorithm::kRs256:
      made = EVP_RSA_gen(kRsaBits);
      break;
    case SigningAlgorithm::kEs256:
      made = EVP_EC_gen("P-256");
      break;
    case SigningAlgorithm::kEdDsa:
      made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
  }
  require(made != nullptr, "key generation");
  return {algorithm, std::shared_ptr<void>(made, EVP_PKEY_free)};
}

Result<SigningKey> SigningKey::from_private_der(SigningAlgorithm algorithm, ByteView pkcs8) {
  const unsigned char* at = uchars(pkcs8);
  openssl::Pkey key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size())));
  if (!key || at != uchars(pkcs8) + pkcs8.size() || !is_of(key.get(), algorithm)) {
    ERR_clear_error();
    return fail(CryptoError::kBadKey, "not a private key for " + std::string(to_string(algorithm)));
  }
  return SigningKey(algorithm, std::shared_ptr<void>(key.release(), EVP_PKEY_free));
}

Result<SigningKey> SigningKey::from_public_der(SigningAlgorithm algorithm, ByteView spki) {
  const unsigned char* at = uchars(spki);
  openssl::Pkey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (!key || at != uchars(spki) + spki.size() || !is_of(key.get(), algorithm)) {
    ERR_clear_error();
    return fail(CryptoError::kBadKey, "not a public key for " + std::string(to_string(algorithm)));
  }
  return SigningKey(algorithm, std::shared_ptr<void>(key.release(), EVP_PKEY_free));
}

Bytes SigningKey::public_der() const {
  const int size = i2d_PUBKEY(raw_key(key_), nullptr);
  require(size > 0, "public key");
  Bytes out(static_cast<std::size_t>(size));
  unsigned char* at = uchars(std::span(out));
  require(i2d_PUBKEY(raw_key(key_), &at) == size, "public key");
  return out;
}

Bytes SigningKey::private_der() const {
  const openssl::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      EVP_PKEY2PKCS8(raw_key(key_)));
  require(info != nullptr, "PKCS #8");
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  require(size > 0, "PKCS #8");
  Bytes out(static_cast<std::size_t>(size));
  unsigned char* at = uchars(std::span(out));
  require(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at) == size, "PKCS #8");
  return out;
}

std::string SigningKey::public_pem() const {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), raw_key(key_)) == 1, "PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Json SigningKey::public_jwk() const {
  const EVP_PKEY* const key = raw_key(key_);
  Json out{{"use", "sig"}, {"alg", to_string(algorithm_)}};
  switch (algorithm_) {
    case SigningAlgorithm::kRs256:
      out["kty"] = "RSA";
      out["n"] = base64url_encode(number_of(key, OSSL_PKEY_PARAM_RSA_N));
      out["e"] = base64url_encode(number_of(key, OSSL_PKEY_PARAM_RSA_E));
      break;
    case SigningAlgorithm::kEs256:
      out["kty"] = "EC";
      out["crv"] = "P-256";
      out["x"] = base64url_encode(number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, int{kHalfBytes}));
      out["y"] = base64url_encode(number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, int{kHalfBytes}));
      break;
    case SigningAlgorithm::kEdDsa: {
      Bytes x(kHalfBytes);
      std::size_t size = x.size();
      require(EVP_PKEY_get_raw_public_key(key, uchars(std::span(x)), &size) == 1, "public key");
      out["kty"] = "OKP";
      out["crv"] = "Ed25519";
      out["x"] = base64url_encode(x);
      break;
    }
  }
  return out;
}

Bytes SigningKey::sign(ByteView data) const {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  require(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm_),
                                                   nullptr, raw_key(key_)) == 1,
          "signature");
  std::size_t size = 0;
  require(EVP_DigestSign(context.get(), nullptr, &size, uchars(data), data.size()) == 1,
          "signature");
  Bytes out(size);
  require(
      EVP_DigestSign(context.get(), uchars(std::span(out)), &size, uchars(data), data.size()) == 1,
      "signature");
  out.resize(size);
  return algorithm_ == SigningAlgorithm::kEs256 ? to_jose(out) : out;
}

bool SigningKey::verifies(ByteView data, ByteView signature) const {
  const Bytes der = algorithm_ == SigningAlgorithm::kEs256
                        ? from_jose(signature)
                        : Bytes(signature.begin(), signature.end());
  const openssl::DigestContext context(EVP_MD_CTX_new());
  require(context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm_),
                                                     nullptr, raw_key(key_)) == 1,
          "signature");
  const bool good = !der.empty() && EVP_DigestVerify(context.get(), uchars(std::span(der)),
                                                     der.size(), uchars(data), data.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace touchmark::crypto
