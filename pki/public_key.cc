#include "pki/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>

#include "crypto/openssl.h"
#include "formats/der_fields.h"
#include "pki/platform_key.h"

namespace touchmark::pki {

using openssl::require;

namespace {

constexpr der::Oid kEcPublicKey("1.2.840.10045.2.1");
constexpr der::Oid kRsaEncryption("1.2.840.113549.1.1.1");
constexpr std::size_t kMinRsaBytes = 256;
constexpr std::size_t kMaxRsaBytes = 1024;

struct Curve {
  der::Oid oid;
  const char* openssl_name;
  std::string_view name;
  std::size_t coordinate_bytes;
};
constexpr Curve kCurves[] = {{der::Oid("1.2.840.10045.3.1.7"), "prime256v1", "P-256", 32},
                             {der::Oid("1.3.132.0.34"), "secp384r1", "P-384", 48},
                             {der::Oid("1.3.132.0.35"), "secp521r1", "P-521", 66}};

struct AlgorithmName {
  SignatureAlgorithm algorithm;
  der::Oid oid;
  std::string_view name;
};
constexpr AlgorithmName kAlgorithms[] = {
    {kEcdsaSha256, der::Oid("1.2.840.10045.4.3.2"), "ecdsa-with-SHA256"},
    {kEcdsaSha384, der::Oid("1.2.840.10045.4.3.3"), "ecdsa-with-SHA384"},
    {kEcdsaSha512, der::Oid("1.2.840.10045.4.3.4"), "ecdsa-with-SHA512"},
    {kRsaSha256, der::Oid("1.2.840.113549.1.1.11"), "sha256WithRSAEncryption"},
    {kRsaSha384, der::Oid("1.2.840.113549.1.1.12"), "sha384WithRSAEncryption"},
    {kRsaSha512, der::Oid("1.2.840.113549.1.1.13"), "sha512WithRSAEncryption"},
};

tl::unexpected<Error> malformed_key(const Error& cause) {
  return fail(SignatureError::kMalformedKey, "public key: " + cause.text());
}

openssl::Pkey make_key(const char* type, OSSL_PARAM* params) {
  openssl::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  require(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, type);
  int made = EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params);
  openssl::Pkey owned(key);
  if (made != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return owned;
}

// nullptr when `point` is not an uncompressed one, or not on the curve.
openssl::Pkey make_ec_key(const Curve& curve, ByteView point) {
  if (point.size() != 1 + 2 * curve.coordinate_bytes || point[0] != std::byte{4}) return nullptr;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                       const_cast<char*>(curve.openssl_name), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                        const_cast<std::byte*>(point.data()), point.size()),
      OSSL_PARAM_construct_end()};
  return make_key("EC", params);
}

openssl::Pkey make_rsa_key(ByteView modulus, ByteView exponent) {
  using Builder = openssl::Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
  using Params = openssl::Owned<OSSL_PARAM, OSSL_PARAM_free>;
  Builder builder(OSSL_PARAM_BLD_new());
  openssl::BigNumber n(BN_bin2bn(uchars(modulus), static_cast<int>(modulus.size()), nullptr));
  openssl::BigNumber e(BN_bin2bn(uchars(exponent), static_cast<int>(exponent.size()), nullptr));
  require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
          "RSA key");
  Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  return make_key("RSA", params.get());
}

struct SpkiParts {
  der::Element algorithm;
  std::optional<der::Element> parameters;
  ByteView bits;
};

Result<SpkiParts> split_spki(ByteView spki) {
  der::Failure failure;
  auto reader = der::Fields::of(spki, der::kSequence, failure);
  auto identifier = reader.enter(der::kSequence);
  SpkiParts parts;
  parts.algorithm = identifier.read(der::kOid);
  if (!identifier.at_end()) parts.parameters = identifier.read();
  identifier.finish();
  parts.bits = reader.bits();
  reader.finish();
  return failure.or_else(parts);
}

struct RsaNumbers {
  ByteView modulus;  // without a sign byte
  ByteView exponent;
};

// RSAPublicKey (RFC 8017 appendix A.1.1).
Result<RsaNumbers> parse_rsa(ByteView bits) {
  der::Failure failure;
  auto fields = der::Fields::of(bits, der::kSequence, failure);
  RsaNumbers numbers;
  for (ByteView* number : {&numbers.modulus, &numbers.exponent}) {
    const ByteView content = fields.read(der::kInteger).content;
    if (!failure) *number = failure.take(der::decode_integer(content));
    if (number->size() > 1 && number->front() == std::byte{0}) *number = number->subspan(1);
  }
  fields.finish();
  return failure.or_else(numbers);
}

}  // namespace

std::string_view error_id(SignatureError error) {
  using enum SignatureError;
  static constexpr auto kIds = error_table<SignatureError>({
      {kMalformedKey, "signature.malformed-key"},
      {kUnsupportedKey, "signature.unsupported-key"},
      {kMalformedAlgorithm, "signature.malformed-algorithm"},
      {kUnsupportedAlgorithm, "signature.unsupported-algorithm"},
      {kWrongKeyType, "signature.wrong-key-type"},
      {kBadSignature, "signature.bad-signature"},
  });
  return kIds[error];
}

std::string to_string(SignatureAlgorithm algorithm) {
  for (const AlgorithmName& known : kAlgorithms) {
    if (known.algorithm == algorithm) return std::string(known.name);
  }
  constexpr std::string_view kTypes[] = {"RSA", "ECDSA", "DSA"};
  std::string text(kTypes[static_cast<std::size_t>(algorithm.key_type)]);
  if (algorithm.padding == RsaPadding::kPss) text += "-PSS";
  return text + " with " + crypto::digest_name(algorithm.digest);
}

Result<SignatureAlgorithm> parse_signature_algorithm(ByteView algorithm) {
  der::Failure failure;
  auto fields = der::Fields::of(algorithm, der::kSequence, failure);
  const ByteView oid = fields.oid();
  const auto* known = std::ranges::find_if(
      kAlgorithms, [oid](const AlgorithmName& name) { return oid == name.oid; });
  if (known != std::end(kAlgorithms)) {
    if (auto null = fields.optional(der::kNull)) failure.take(der::decode_null(null->content));
    fields.finish();
  }
  if (failure) {
    return fail(SignatureError::kMalformedAlgorithm,
                "signature algorithm: " + failure.error().text());
  }
  if (known != std::end(kAlgorithms)) return known->algorithm;
  auto text = der::decode_oid(oid);
  return fail(SignatureError::kUnsupportedAlgorithm,
              "signature algorithm " + text.value_or("of a malformed identifier"));
}

struct PublicKey::State {
  State(openssl::Pkey pkey, KeyType key_type, std::string name)
      : key(std::move(pkey)), type(key_type), kind(std::move(name)) {
    if (type != KeyType::kEc) return;
    verification.reset(EVP_PKEY_CTX_new(key.get(), nullptr));
    require(verification != nullptr && EVP_PKEY_verify_init(verification.get()) == 1,
            "signature verification");
  }
  // kGood or kBad; kUnusable when the key cannot verify by this algorithm at all.
  SignatureCheck check(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const;

  openssl::Pkey key;
  KeyType type;
  std::string kind;
  // Of EC keys: made ready once and copied for each check, which costs a fifth of making a new one.
  openssl::PkeyContext verification;
};

SignatureCheck PublicKey::State::check(SignatureAlgorithm algorithm, ByteView data,
                                       ByteView signature) const {
  const EVP_MD* digest = openssl::message_digest(algorithm.digest);
  int verified = 0;
  if (type == KeyType::kEc) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned hash_size = 0;
    openssl::PkeyContext context(EVP_PKEY_CTX_dup(verification.get()));
    require(context != nullptr &&
                EVP_Digest(data.data(), data.size(), hash.data(), &hash_size, digest, nullptr) == 1,
            "signature verification");
    verified =
        EVP_PKEY_verify(context.get(), uchars(signature), signature.size(), hash.data(), hash_size);
  } else {
    openssl::DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;  // owned by the context
    bool ready = EVP_DigestVerifyInit(context.get(), &options, digest, nullptr, key.get()) == 1;
    if (ready && algorithm.padding == RsaPadding::kPss) {
      ready = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    if (!ready) {
      ERR_clear_error();
      return SignatureCheck::kUnusable;
    }
    verified = EVP_DigestVerify(context.get(), uchars(signature), signature.size(), uchars(data),
                                data.size());
  }
  if (verified == 1) return SignatureCheck::kGood;
  ERR_clear_error();
  return SignatureCheck::kBad;
}

KeyType PublicKey::type() const { return state_->type; }
const std::string& PublicKey::kind() const { return state_->kind; }
Bytes PublicKey::spki() const { return openssl::encode<i2d_PUBKEY>(state_->key.get()); }

Result<PublicKey> PublicKey::from_spki(ByteView spki, KeyPolicy policy) {
  if (policy == KeyPolicy::kPlatform) {
    auto key = read_platform_key(spki);
    if (!key) return pass(key);
    return PublicKey(
        std::make_shared<const State>(std::move(key->key), key->type, std::move(key->kind)));
  }
  auto parts = split_spki(spki);
  if (!parts) return malformed_key(parts.error());
  if (parts->algorithm.content == kEcPublicKey) {
    for (const Curve& curve : kCurves) {
      if (!parts->parameters || parts->parameters->tag != der::kOid ||
          parts->parameters->content != curve.oid) {
        continue;
      }
      openssl::Pkey key = make_ec_key(curve, parts->bits);
      if (!key) {
        return fail(SignatureError::kMalformedKey,
                    "public key: not an uncompressed point of " + std::string(curve.name));
      }
      return PublicKey(std::make_shared<const State>(std::move(key), KeyType::kEc,
                                                     "EC " + std::string(curve.name)));
    }
    return fail(SignatureError::kUnsupportedKey, "public key: an EC curve that is not known");
  }
  if (parts->algorithm.content == kRsaEncryption) {
    auto numbers = parse_rsa(parts->bits);
    if (!numbers) return malformed_key(numbers.error());
    std::size_t size = numbers->modulus.size();
    if (size < kMinRsaBytes || size > kMaxRsaBytes || numbers->exponent.size() > 8) {
      return fail(SignatureError::kUnsupportedKey,
                  "public key: RSA of " + std::to_string(size * 8) + " bits");
    }
    openssl::Pkey key = make_rsa_key(numbers->modulus, numbers->exponent);
    if (!key) return fail(SignatureError::kMalformedKey, "public key: not an RSA key");
    return PublicKey(std::make_shared<const State>(std::move(key), KeyType::kRsa,
                                                   "RSA " + std::to_string(size * 8)));
  }
  auto oid = der::decode_oid(parts->algorithm.content);
  return fail(SignatureError::kUnsupportedKey,
              "public key: algorithm " + oid.value_or("of a malformed identifier"));
}

Result<PublicKey> PublicKey::from_p256_point(ByteView point) {
  openssl::Pkey key = make_ec_key(kCurves[0], point);
  if (!key) return fail(SignatureError::kMalformedKey, "not an uncompressed point of P-256");
  return PublicKey(std::make_shared<const State>(std::move(key), KeyType::kEc, "EC P-256"));
}

Result<void> PublicKey::verify(SignatureAlgorithm algorithm, ByteView data,
                               ByteView signature) const {
  if (algorithm.key_type != type()) {
    return fail(SignatureError::kWrongKeyType,
                to_string(algorithm) + " under a key of type " + kind());
  }
  if (state_->check(algorithm, data, signature) == SignatureCheck::kGood) return {};
  return fail(SignatureError::kBadSignature,
              to_string(algorithm) + " signature does not verify under the " + kind() + " key");
}

SignatureCheck PublicKey::check(SignatureAlgorithm algorithm, ByteView data,
                                ByteView signature) const {
  const bool well_formed =
      type() == KeyType::kRsa
          ? signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get()))
          : is_integer_pair(type(), signature);
  return well_formed ? state_->check(algorithm, data, signature) : SignatureCheck::kUnusable;
}

Result<ByteView> spki_key_bits(ByteView spki) {
  auto parts = split_spki(spki);
  if (!parts) return malformed_key(parts.error());
  return parts->bits;
}

}  // namespace touchmark::pki
