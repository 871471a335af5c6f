#include "package/android/signature/public_key.h"

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "crypto/openssl.h"

namespace touchmark::package::signature {
namespace {

constexpr int kMaxRsaBits = 16384;

EVP_PKEY* native(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }

// A curve is named, and one of those that the platform knows.
bool usable_curve(EVP_PKEY* key) {
  int is_explicit = 0;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
  std::array<char, 64> name{};
  if (is_explicit != 0 || EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) {
    return false;
  }
  const std::string_view curve(name.data());
  return curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1";
}

std::optional<KeyType> usable_type(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key) > kMaxRsaBits) return std::nullopt;
      return KeyType::kRsa;
    case EVP_PKEY_EC:
      if (!usable_curve(key)) return std::nullopt;
      return KeyType::kEc;
    case EVP_PKEY_DSA:
      return KeyType::kDsa;
    default:
      return std::nullopt;
  }
}

// DER SEQUENCE of two INTEGERs with nothing after it.
bool is_integer_pair(KeyType type, ByteView signature) {
  const unsigned char* at = uchars(signature);
  const auto size = static_cast<long>(signature.size());
  bool parsed = false;
  if (type == KeyType::kEc) {
    parsed = openssl::EcdsaSignature(d2i_ECDSA_SIG(nullptr, &at, size)) != nullptr;
  } else {
    parsed = openssl::Owned<DSA_SIG, DSA_SIG_free>(d2i_DSA_SIG(nullptr, &at, size)) != nullptr;
  }
  return parsed && at == uchars(signature) + signature.size();
}

// OpenSSL takes the ids of DSA signatures for those of DSA keys, too; the platform does not.
bool names_a_key(const X509_PUBKEY* key) {
  ASN1_OBJECT* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, key) != 1) return false;
  const int id = OBJ_obj2nid(algorithm);
  return id != NID_dsaWithSHA && id != NID_dsaWithSHA1 && id != NID_dsaWithSHA1_2;
}

}  // namespace

std::optional<PublicKey> PublicKey::from_der(ByteView spki) {
  const unsigned char* at = uchars(spki);
  const openssl::Owned<X509_PUBKEY, X509_PUBKEY_free> parsed(
      d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  const bool whole = parsed != nullptr && at == uchars(spki) + spki.size();
  openssl::Pkey key(whole && names_a_key(parsed.get()) ? X509_PUBKEY_get(parsed.get()) : nullptr);
  const auto type = key ? usable_type(key.get()) : std::nullopt;
  ERR_clear_error();
  if (!type) return std::nullopt;
  return PublicKey(std::shared_ptr<void>(key.release(),
                                         [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }),
                   *type);
}

Bytes PublicKey::der() const {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(native(key_), &encoded);
  openssl::require(size > 0, "public key encoding");
  Bytes out = to_bytes(std::as_bytes(std::span(encoded, static_cast<std::size_t>(size))));
  OPENSSL_free(encoded);
  return out;
}

SignatureCheck PublicKey::verify(const SignatureScheme& scheme, ByteView data,
                                 ByteView signature) const {
  if (type_ == KeyType::kRsa) {
    if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(native(key_)))) {
      return SignatureCheck::kUnusable;
    }
  } else if (!is_integer_pair(type_, signature)) {
    ERR_clear_error();
    return SignatureCheck::kUnusable;
  }
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // owned by the context
  bool ready = EVP_DigestVerifyInit_ex(context.get(), &options, digest_name(scheme.digest), nullptr,
                                       nullptr, native(key_), nullptr) == 1;
  if (ready && scheme.padding == RsaPadding::kPss && type_ == KeyType::kRsa) {
    ready = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  const int verified = ready ? EVP_DigestVerify(context.get(), uchars(signature), signature.size(),
                                                uchars(data), data.size())
                             : -1;
  ERR_clear_error();
  if (!ready) return SignatureCheck::kUnusable;
  return verified == 1 ? SignatureCheck::kGood : SignatureCheck::kBad;
}

}  // namespace touchmark::package::signature
