// Signers of apps and profiles: their certificates by the platform's rules, their chains by
// OpenSSL's.
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "crypto/openssl.h"
#include "formats/der_fields.h"
#include "pki/cms.h"
#include "pki/distinguished_name.h"

namespace touchmark::pki {
namespace {

constexpr der::Oid kExtendedKeyUsage("2.5.29.37");
constexpr der::Oid kCodeSigning("1.3.6.1.5.5.7.3.3");
constexpr der::Oid kRsaPss("1.2.840.113549.1.1.10");
// Intermediates between signer and root; Apple has one.
constexpr int kMaxDepth = 8;
// Far above what codesign makes room for; a profile's bound is the caller's.
constexpr std::size_t kMaxDetachedBytes = std::size_t{1} << 20;

void free_certificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }
using Certificates = std::unique_ptr<STACK_OF(X509), openssl::Deleter<free_certificates>>;
using Store = openssl::Owned<X509_STORE, X509_STORE_free>;
using StoreContext = openssl::Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

openssl::X509Owned decode(ByteView der) {
  return openssl::X509Owned(openssl::decode<d2i_X509>(der));
}

// What a link of the chain must be like is said here, and not by the security level that OpenSSL
// was built or configured with: Apple signed its intermediates with SHA-1 until 2016, and the apps
// below them live on. MD5 and shorter keys were never Apple's.
constexpr int kMinSecurityBits = 80;  // RSA of 1,024 bits

bool is_acceptable_digest(int digest) {
  return digest == NID_sha1 || digest == NID_sha224 || digest == NID_sha256 ||
         digest == NID_sha384 || digest == NID_sha512;
}

// Every certificate but the root, which is trusted for itself.
bool are_acceptable(const STACK_OF(X509) * chain) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr || EVP_PKEY_get_security_bits(key) < kMinSecurityBits) return false;
    int digest = NID_undef;
    const bool last = i == sk_X509_num(chain) - 1;
    if (!last && (X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1 ||
                  !is_acceptable_digest(digest))) {
      return false;
    }
  }
  return true;
}

// Links of the chain are checked with OpenSSL's rules, with three exceptions: time, critical
// extensions, of which Apple has many of its own, and strength (above).
bool is_trusted(const SignedData& data, const std::vector<Bytes>& roots) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  const Certificates others(sk_X509_new_null());
  openssl::require(store && context && others, "certificate store");
  for (const Bytes& root : roots) {
    if (const auto certificate = decode(root)) X509_STORE_add_cert(store.get(), certificate.get());
  }
  for (const Bytes& other : data.certificates) {
    if (auto certificate = decode(other)) sk_X509_push(others.get(), certificate.release());
  }
  const openssl::X509Owned signer = decode(data.certificates.front());
  if (X509_STORE_CTX_init(context.get(), store.get(), signer.get(), others.get()) != 1) {
    return false;
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL);
  X509_VERIFY_PARAM_set_auth_level(rules, 0);
  X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
  return X509_verify_cert(context.get()) == 1 &&
         are_acceptable(X509_STORE_CTX_get0_chain(context.get()));
}

bool is_for_code(const Certificate& certificate) {
  const Extension* usage = certificate.find(kExtendedKeyUsage);
  if (usage == nullptr) return false;
  der::Failure failure;
  auto purposes = der::Fields::of(usage->value, der::kSequence, failure);
  bool found = false;
  while (!purposes.at_end()) found = purposes.oid() == kCodeSigning || found;
  return found && !failure;
}

// The key says what kind of signature it makes, and the signer of which digest; the algorithm's own
// identifier adds only how RSA is padded.
SignatureAlgorithm algorithm_of(const SignedData& data, const PublicKey& key) {
  SignatureAlgorithm algorithm{key.type(), data.digest};
  der::Failure failure;
  if (der::Fields(data.signature_algorithm, failure, der::kAnyBer).enter(der::kSequence).oid() ==
      kRsaPss) {
    algorithm.padding = RsaPadding::kPss;
  }
  return algorithm;
}

// The signer's certificate, a view into `data`.
Result<Certificate> verify(const SignedData& data, ByteView content,
                           const std::vector<Bytes>& roots) {
  auto signer = parse_certificate(data.certificates.front(), "signer", Reading::kPlatform);
  if (!signer) return pass(signer);
  const auto key = PublicKey::from_spki(signer->spki, KeyPolicy::kPlatform);
  if (!key) return fail(CmsError::kBadSignature, key.error().message());
  const auto signature = check_signature(data, content, *key, algorithm_of(data, *key));
  if (!signature) return pass(signature);
  const bool trusted = is_trusted(data, roots);
  ERR_clear_error();
  if (trusted) return signer;
  return fail(CmsError::kUntrusted, "the signer's certificate has no chain to a trusted root");
}

}  // namespace

Result<CodeSigner> verify_code_signature(ByteView cms, ByteView content,
                                         const std::vector<Bytes>& roots) {
  if (cms.size() > kMaxDetachedBytes) {
    return fail(CmsError::kMalformed, "larger than any signature");
  }
  const auto data = parse_signed_data(cms, CmsUse::kCode);
  if (!data) return pass(data);
  const auto signer = verify(*data, content, roots);
  if (!signer) return pass(signer);
  if (!is_for_code(*signer)) {
    return fail(CmsError::kNotForCode, "the signer's certificate is not for code signing");
  }
  CodeSigner out{data->certificates.front(), {}};
  if (const auto subject = parse_name(signer->subject)) {
    if (const std::string* unit = find_attribute(*subject, "OU")) out.organizational_unit = *unit;
  }
  return out;
}

Result<Bytes> open_signed_content(ByteView cms, const std::vector<Bytes>& roots,
                                  std::size_t max_bytes) {
  if (cms.size() > max_bytes) return fail(CmsError::kMalformed, "larger than any such file");
  auto data = parse_signed_data(cms, CmsUse::kCode);
  if (!data) return pass(data);
  if (!data->content) return fail(CmsError::kMalformed, "the content is not in it");
  const auto signer = verify(*data, *data->content, roots);
  if (!signer) return pass(signer);
  return *std::move(data->content);
}

}  // namespace touchmark::pki
