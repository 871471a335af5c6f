#include "pki/platform_key.h"

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/rsa.h>

#include <array>
#include <optional>

#include "formats/der_fields.h"

namespace touchmark::pki {
namespace {

using SpkiOwned = openssl::Owned<X509_PUBKEY, X509_PUBKEY_free>;
using DsaSignature = openssl::Owned<DSA_SIG, DSA_SIG_free>;

constexpr int kMaxRsaBits = 16384;

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

// OpenSSL takes the ids of DSA signatures for those of DSA keys, too; the platform does not.
bool names_a_key(const X509_PUBKEY* key) {
  ASN1_OBJECT* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, key) != 1) return false;
  const int id = OBJ_obj2nid(algorithm);
  return id != NID_dsaWithSHA && id != NID_dsaWithSHA1 && id != NID_dsaWithSHA1_2;
}

// Whether the modulus, the INTEGER that starts an RSAPublicKey, has its sign bit set.
bool has_negative_modulus(ByteView spki) {
  der::Failure failure;
  auto fields = der::Fields(spki, failure, der::kAnyBer).enter(der::kSequence);
  fields.read();  // the algorithm
  auto key = der::Fields(fields.bits(), failure, der::kAnyBer).enter(der::kSequence);
  const ByteView modulus = key.read(der::kInteger).content;
  return !failure && !modulus.empty() && (modulus.front() & std::byte{0x80}) != std::byte{0};
}

}  // namespace

Result<PlatformKey> read_platform_key(ByteView spki) {
  ByteView rest;
  const SpkiOwned parsed(openssl::decode<d2i_X509_PUBKEY>(spki, &rest));
  const bool whole = parsed != nullptr && rest.empty();
  openssl::Pkey key(whole && names_a_key(parsed.get()) ? X509_PUBKEY_get(parsed.get()) : nullptr);
  const auto type = key ? usable_type(key.get()) : std::nullopt;
  ERR_clear_error();
  if (!key) return fail(SignatureError::kMalformedKey, "public key: not one that can be read");
  if (!type) return fail(SignatureError::kUnsupportedKey, "public key: of a kind that is not used");
  constexpr std::string_view kNames[] = {"RSA ", "EC ", "DSA "};
  std::string kind(kNames[static_cast<std::size_t>(*type)]);
  kind += std::to_string(EVP_PKEY_get_bits(key.get()));
  return PlatformKey{std::move(key), *type, std::move(kind)};
}

bool is_integer_pair(KeyType type, ByteView signature) {
  ByteView rest;
  const bool parsed =
      type == KeyType::kEc
          ? openssl::EcdsaSignature(openssl::decode<d2i_ECDSA_SIG>(signature, &rest)) != nullptr
          : DsaSignature(openssl::decode<d2i_DSA_SIG>(signature, &rest)) != nullptr;
  ERR_clear_error();
  return parsed && rest.empty();
}

Bytes platform_spki(ByteView spki) {
  const SpkiOwned parsed(openssl::decode<d2i_X509_PUBKEY>(spki));
  ERR_clear_error();
  if (!parsed) return {};
  Bytes encoded = openssl::encode<i2d_X509_PUBKEY>(parsed.get());
  if (!has_negative_modulus(encoded)) return encoded;
  const auto key = PublicKey::from_spki(encoded, KeyPolicy::kPlatform);
  return key && key->type() == KeyType::kRsa ? key->spki() : encoded;
}

}  // namespace touchmark::pki
