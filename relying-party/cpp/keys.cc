#include "relying-party/cpp/keys.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/openssl.h"

namespace touchmark::relying {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr std::size_t kEd25519Bytes = 32;
constexpr std::size_t kMaxMemberBytes = 4096;

using ParamBuilder = openssl::Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = openssl::Owned<OSSL_PARAM, OSSL_PARAM_free>;

openssl::BigNumber number(ByteView bytes) {
  return openssl::BigNumber(BN_bin2bn(uchars(bytes), openssl::as_int(bytes.size()), nullptr));
}

std::shared_ptr<void> share(openssl::Pkey key) { return {key.release(), EVP_PKEY_free}; }

std::shared_ptr<void> rsa_key(const Json& jwk) {
  const auto modulus = get_base64url(jwk, "n", kMaxMemberBytes);
  const auto exponent = get_base64url(jwk, "e", kMaxMemberBytes);
  if (!modulus || !exponent) return nullptr;
  const auto n = number(*modulus);
  const auto e = number(*exponent);
  if (BN_num_bits(n.get()) < kMinRsaBits || !BN_is_odd(n.get()) || !BN_is_odd(e.get()) ||
      BN_is_one(e.get())) {
    return nullptr;
  }
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  openssl::require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                       OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
                   "parameters of an RSA key");
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
  ERR_clear_error();
  return made ? share(openssl::Pkey(key)) : nullptr;
}

std::shared_ptr<void> ed25519_key(const Json& jwk) {
  const auto x = get_base64url(jwk, "x", kEd25519Bytes);
  if (!x || x->size() != kEd25519Bytes) return nullptr;
  openssl::Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, uchars(*x), x->size()));
  ERR_clear_error();
  return key ? share(std::move(key)) : nullptr;
}

// What the type of a key says that it is for.
std::optional<Algorithm> algorithm_of(const Json& jwk) {
  const auto type = find_string(jwk, "kty");
  const auto curve = find_string(jwk, "crv");
  if (type == "RSA") return Algorithm::kRs256;
  if (type == "EC" && curve == "P-256") return Algorithm::kEs256;
  if (type == "OKP" && curve == "Ed25519") return Algorithm::kEdDsa;
  return std::nullopt;
}

// Whether the members that narrow down what a key is for leave it the verification of tokens.
bool may_verify(const Json& jwk, Algorithm algorithm) {
  const auto alg = jwk.find("alg");
  if (alg != jwk.end() &&
      !(alg->is_string() && algorithm_named(alg->get_ref<const std::string&>()) == algorithm)) {
    return false;
  }
  const auto use = jwk.find("use");
  if (use != jwk.end() && *use != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  return operations->is_array() &&
         std::ranges::find(*operations, Json("verify")) != operations->end();
}

}  // namespace

std::string_view error_id(KeySetError error) {
  using enum KeySetError;
  static constexpr auto kIds = error_table<KeySetError>({
      {kNotJson, "key-set.not-json"},
      {kTooLarge, "key-set.too-large"},
      {kNothingUsable, "key-set.nothing-usable"},
      {kBadAddress, "key-set.bad-address"},
      {kUnreachable, "key-set.unreachable"},
  });
  return kIds[error];
}

std::optional<Algorithm> algorithm_named(std::string_view alg) {
  if (alg == "HS256") return Algorithm::kHs256;
  if (alg == "RS256") return Algorithm::kRs256;
  if (alg == "ES256") return Algorithm::kEs256;
  if (alg == "EdDSA") return Algorithm::kEdDsa;
  return std::nullopt;
}

Secret::Secret(std::optional<std::string> kid, ByteView secret,
               std::optional<ByteView> decoy_secret)
    : kid_(std::move(kid)), key_(secret) {
  if (decoy_secret) decoy_.emplace(*decoy_secret);
}

bool Secret::signed_it(ByteView data, ByteView mac) const {
  return crypto::constant_time_equal(key_.mac(data), mac);
}

bool Secret::signed_as_decoy(ByteView data, ByteView mac) const {
  return decoy_ && crypto::constant_time_equal(decoy_->mac(data), mac);
}

std::optional<PublicKey> PublicKey::from_jwk(const Json& jwk) {
  if (!jwk.is_object()) return std::nullopt;
  const auto algorithm = algorithm_of(jwk);
  const auto kid = jwk.find("kid");
  if (!algorithm || !may_verify(jwk, *algorithm) || (kid != jwk.end() && !kid->is_string())) {
    return std::nullopt;
  }
  std::optional<PublicKey> out;
  if (algorithm == Algorithm::kEs256) {
    const auto x = get_base64url(jwk, "x", kMaxMemberBytes);
    const auto y = get_base64url(jwk, "y", kMaxMemberBytes);
    if (!x || !y) return std::nullopt;
    auto key = crypto::EcKey::from_coordinates(*x, *y);
    if (!key) return std::nullopt;
    out = PublicKey(*algorithm, std::move(*key));
  } else {
    Other key = algorithm == Algorithm::kRs256 ? rsa_key(jwk) : ed25519_key(jwk);
    if (key == nullptr) return std::nullopt;
    out = PublicKey(*algorithm, std::move(key));
  }
  if (kid != jwk.end()) out->kid_ = kid->get<std::string>();
  return out;
}

bool PublicKey::signed_it(ByteView data, ByteView signature) const {
  if (const auto* key = std::get_if<crypto::EcKey>(&key_)) {
    return key->verify(data, signature).has_value();
  }
  const openssl::DigestContext context(EVP_MD_CTX_new());
  auto* key = static_cast<EVP_PKEY*>(std::get<Other>(key_).get());
  // RSA's default padding is PKCS #1; Ed25519 hashes by itself.
  const EVP_MD* digest = algorithm_ == Algorithm::kRs256 ? openssl::sha256() : nullptr;
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), uchars(signature), signature.size(),
                                     uchars(data), data.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

Result<KeySet> read_key_set(std::string_view text) {
  if (text.size() > kMaxKeySetBytes) {
    return fail(KeySetError::kTooLarge, "the key set is over 256 KiB");
  }
  const auto json = parse_json(text, {.max_bytes = kMaxKeySetBytes});
  if (!json) return fail(KeySetError::kNotJson, "the key set: " + json.error().message());
  const Json* members = find_array(*json, "keys");
  if (members == nullptr) {
    return fail(KeySetError::kNotJson, "the key set is not an object with an array \"keys\"");
  }
  if (members->size() > kMaxKeysOfSet) {
    return fail(KeySetError::kTooLarge, "the key set has " + std::to_string(members->size()) +
                                            " keys: " + std::to_string(kMaxKeysOfSet) +
                                            " are taken");
  }
  KeySet out;
  for (const Json& jwk : *members) {
    if (auto key = PublicKey::from_jwk(jwk)) out.push_back(std::move(*key));
  }
  if (out.empty()) {
    return fail(KeySetError::kNothingUsable,
                "no key of the key set is for RS256, ES256 or EdDSA signatures");
  }
  return out;
}

}  // namespace touchmark::relying
