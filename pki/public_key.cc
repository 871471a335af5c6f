#include "pki/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <array>

#include "crypto/openssl.h"
#include "formats/der.h"

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
  const char* digest;
  bool is_ec;
};
constexpr AlgorithmName kAlgorithms[] = {
    {SignatureAlgorithm::kEcdsaSha256, der::Oid("1.2.840.10045.4.3.2"), "ecdsa-with-SHA256",
     "SHA256", true},
    {SignatureAlgorithm::kEcdsaSha384, der::Oid("1.2.840.10045.4.3.3"), "ecdsa-with-SHA384",
     "SHA384", true},
    {SignatureAlgorithm::kEcdsaSha512, der::Oid("1.2.840.10045.4.3.4"), "ecdsa-with-SHA512",
     "SHA512", true},
    {SignatureAlgorithm::kRsaSha256, der::Oid("1.2.840.113549.1.1.11"), "sha256WithRSAEncryption",
     "SHA256", false},
    {SignatureAlgorithm::kRsaSha384, der::Oid("1.2.840.113549.1.1.12"), "sha384WithRSAEncryption",
     "SHA384", false},
    {SignatureAlgorithm::kRsaSha512, der::Oid("1.2.840.113549.1.1.13"), "sha512WithRSAEncryption",
     "SHA512", false},
};

const AlgorithmName& names_of(SignatureAlgorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

// Fetched once: see crypto/openssl.h.
const EVP_MD* digest_of(SignatureAlgorithm algorithm) {
  using Digest = openssl::Owned<EVP_MD, EVP_MD_free>;
  static const std::array<Digest, 3> digests = {Digest(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
                                                Digest(EVP_MD_fetch(nullptr, "SHA384", nullptr)),
                                                Digest(EVP_MD_fetch(nullptr, "SHA512", nullptr))};
  return digests[static_cast<std::size_t>(algorithm) % 3].get();
}

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
  auto outer = der::parse(spki, der::kSequence);
  if (!outer) return pass(outer);
  der::Reader reader(outer->content);
  auto identifier = reader.enter(der::kSequence);
  if (!identifier) return pass(identifier);
  SpkiParts parts;
  auto algorithm = identifier->read(der::kOid);
  if (!algorithm) return pass(algorithm);
  parts.algorithm = *algorithm;
  if (!identifier->at_end()) {
    auto parameters = identifier->read();
    if (!parameters) return pass(parameters);
    parts.parameters = *parameters;
  }
  if (auto end = identifier->finish(); !end) return pass(end);
  auto key = reader.read(der::kBitString);
  if (!key) return pass(key);
  auto bits = der::decode_octet_aligned_bits(key->content);
  if (!bits) return pass(bits);
  parts.bits = *bits;
  if (auto end = reader.finish(); !end) return pass(end);
  return parts;
}

struct RsaNumbers {
  ByteView modulus;  // without a sign byte
  ByteView exponent;
};

// RSAPublicKey (RFC 8017 appendix A.1.1).
Result<RsaNumbers> parse_rsa(ByteView bits) {
  auto outer = der::parse(bits, der::kSequence);
  if (!outer) return pass(outer);
  der::Reader reader(outer->content);
  ByteView numbers[2];
  for (ByteView& number : numbers) {
    auto element = reader.read(der::kInteger);
    if (!element) return pass(element);
    auto content = der::decode_integer(element->content);
    if (!content) return pass(content);
    number = *content;
    if (number.size() > 1 && number[0] == std::byte{0}) number = number.subspan(1);
  }
  if (auto end = reader.finish(); !end) return pass(end);
  return RsaNumbers{numbers[0], numbers[1]};
}

bool verify_ecdsa(const EVP_PKEY_CTX* prepared, const EVP_MD* digest, ByteView data,
                  ByteView signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned hash_size = 0;
  openssl::PkeyContext context(EVP_PKEY_CTX_dup(prepared));
  require(context != nullptr &&
              EVP_Digest(data.data(), data.size(), hash.data(), &hash_size, digest, nullptr) == 1,
          "signature verification");
  return EVP_PKEY_verify(context.get(), uchars(signature), signature.size(), hash.data(),
                         hash_size) == 1;
}

bool verify_rsa(EVP_PKEY* key, const EVP_MD* digest, ByteView data, ByteView signature) {
  openssl::DigestContext context(EVP_MD_CTX_new());
  require(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1,
          "signature verification");
  return EVP_DigestVerify(context.get(), uchars(signature), signature.size(), uchars(data),
                          data.size()) == 1;
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

std::string_view to_string(SignatureAlgorithm algorithm) { return names_of(algorithm).name; }

Result<SignatureAlgorithm> parse_signature_algorithm(ByteView algorithm) {
  auto malformed = [](const Error& cause) {
    return fail(SignatureError::kMalformedAlgorithm, "signature algorithm: " + cause.text());
  };
  auto outer = der::parse(algorithm, der::kSequence);
  if (!outer) return malformed(outer.error());
  der::Reader reader(outer->content);
  auto oid = reader.read(der::kOid);
  if (!oid) return malformed(oid.error());
  for (const AlgorithmName& known : kAlgorithms) {
    if (oid->content != known.oid) continue;
    auto null = reader.read_optional(der::kNull);
    if (!null) return malformed(null.error());
    if (*null && !(*null)->content.empty()) {
      return fail(SignatureError::kMalformedAlgorithm, "signature algorithm: a NULL with content");
    }
    if (auto end = reader.finish(); !end) return malformed(end.error());
    return known.algorithm;
  }
  auto text = der::decode_oid(oid->content);
  return fail(SignatureError::kUnsupportedAlgorithm,
              "signature algorithm " + text.value_or("of a malformed identifier"));
}

struct PublicKey::State {
  State(openssl::Pkey pkey, bool ec, std::string name)
      : key(std::move(pkey)), is_ec(ec), kind(std::move(name)) {
    if (!is_ec) return;
    verification.reset(EVP_PKEY_CTX_new(key.get(), nullptr));
    require(verification != nullptr && EVP_PKEY_verify_init(verification.get()) == 1,
            "signature verification");
  }
  openssl::Pkey key;
  bool is_ec;
  std::string kind;
  // Of EC keys: made ready once and copied for each check, which costs a fifth of making a new one.
  openssl::PkeyContext verification;
};

const std::string& PublicKey::kind() const { return state_->kind; }

Result<PublicKey> PublicKey::from_spki(ByteView spki) {
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
      return PublicKey(
          std::make_shared<const State>(std::move(key), true, "EC " + std::string(curve.name)));
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
    return PublicKey(
        std::make_shared<const State>(std::move(key), false, "RSA " + std::to_string(size * 8)));
  }
  auto oid = der::decode_oid(parts->algorithm.content);
  return fail(SignatureError::kUnsupportedKey,
              "public key: algorithm " + oid.value_or("of a malformed identifier"));
}

Result<PublicKey> PublicKey::from_p256_point(ByteView point) {
  openssl::Pkey key = make_ec_key(kCurves[0], point);
  if (!key) return fail(SignatureError::kMalformedKey, "not an uncompressed point of P-256");
  return PublicKey(std::make_shared<const State>(std::move(key), true, "EC P-256"));
}

Result<void> PublicKey::verify(SignatureAlgorithm algorithm, ByteView data,
                               ByteView signature) const {
  if (names_of(algorithm).is_ec != state_->is_ec) {
    return fail(SignatureError::kWrongKeyType,
                std::string(to_string(algorithm)) + " under a key of type " + state_->kind);
  }
  bool good = state_->is_ec
                  ? verify_ecdsa(state_->verification.get(), digest_of(algorithm), data, signature)
                  : verify_rsa(state_->key.get(), digest_of(algorithm), data, signature);
  if (good) return {};
  ERR_clear_error();
  return fail(SignatureError::kBadSignature, std::string(to_string(algorithm)) +
                                                 " signature does not verify under the " +
                                                 state_->kind + " key");
}

Result<ByteView> spki_key_bits(ByteView spki) {
  auto parts = split_spki(spki);
  if (!parts) return malformed_key(parts.error());
  return parts->bits;
}

}  // namespace touchmark::pki
