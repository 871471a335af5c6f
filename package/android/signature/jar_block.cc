// The signature block: PKCS #7 signers over the signature file.
#include <algorithm>
#include <map>

#include "formats/der.h"
#include "package/android/signature/error.h"
#include "package/android/signature/jar_algorithm.h"
#include "package/android/signature/jar_signer.h"
#include "package/android/signature/pkcs7.h"
#include "pki/platform_certificate.h"

namespace touchmark::package::signature {
namespace {

constexpr std::string_view kContentTypeOid = "1.2.840.113549.1.9.3";
constexpr std::string_view kMessageDigestOid = "1.2.840.113549.1.9.4";
constexpr std::byte kSetTag{0x31};

struct BlockContext {
  const std::string& name;
  const Pkcs7SignedData& data;
  const std::vector<SignerCertificate>& certificates;
  ByteView signature_file;
  SdkRange range;
  Budget& budget;
  // Of the signature file, by each algorithm that a signer names.
  std::map<crypto::DigestAlgorithm, Bytes>& digests;
};

// A step for so many bytes that are digested.
constexpr std::size_t kBytesPerStep = 8;

const Bytes& file_digest(const BlockContext& context, crypto::DigestAlgorithm algorithm) {
  const auto [at, fresh] = context.digests.try_emplace(algorithm);
  if (fresh) at->second = crypto::digest(algorithm, context.signature_file);
  return at->second;
}

// The certificate that the signer names and that may sign.
Result<const SignerCertificate*> find_certificate(const BlockContext& context,
                                                  const Pkcs7Signer& signer) {
  auto found = context.certificates.begin();
  for (; found != context.certificates.end(); ++found) {
    if (auto ok = context.budget.take_steps(1); !ok) return pass(ok);
    if (!signer.issuer || !pki::same_serial(found->serial, signer.serial)) continue;
    // Both are decoded to be compared.
    const std::size_t cost = found->issuer.size() + signer.issuer->size();
    if (auto ok = context.budget.take_steps(cost); !ok) return pass(ok);
    if (pki::names_match(found->issuer, *signer.issuer)) break;
  }
  if (found == context.certificates.end()) {
    return fail(SignatureError::kV1CertificateMissing,
                context.name + ": the signer's certificate is not in the block");
  }
  if (found->unknown_critical_extension) {
    return fail(SignatureError::kV1CertificateExtension,
                context.name + ": the certificate has an unknown critical extension");
  }
  if (!found->usage_allows_signing) {
    return fail(SignatureError::kV1CertificateUsage,
                context.name + ": the certificate's key usage does not allow signing");
  }
  return &*found;
}

// The only value of an attribute; nothing when there is no such attribute or it is empty.
Result<std::optional<der::Element>> single_value(const std::vector<Pkcs7Attribute>& attributes,
                                                 std::string_view type, const std::string& name) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [type](const Pkcs7Attribute& a) { return a.type == type; });
  if (found == attributes.end() || found->values.empty()) return std::nullopt;
  if (found->values.size() > 1) {
    return fail(
        SignatureError::kV1AmbiguousAttribute,
        name + ": a signed attribute has " + std::to_string(found->values.size()) + " values");
  }
  return der::Reader(found->values.front(), der::kAnyBer).read();
}

bool is_a(const std::optional<der::Element>& value, der::Tag tag) {
  return value && value->tag.tag_class == tag.tag_class && value->tag.number == tag.number;
}

Result<std::vector<Pkcs7Attribute>> read_attributes(const BlockContext& context,
                                                    const Pkcs7Signer& signer) {
  auto attributes = parse_attributes(*signer.signed_attributes);
  if (!attributes) return pass(attributes);
  std::set<std::string_view> types;
  for (const Pkcs7Attribute& attribute : *attributes) {
    if (types.insert(attribute.type).second) continue;
    return fail(SignatureError::kV1AmbiguousAttribute,
                context.name + ": signed attribute " + attribute.type + " stands twice");
  }
  return attributes;
}

// Whether the signed attributes speak of this signature file.
Result<bool> attributes_match(const BlockContext& context, const Pkcs7Signer& signer) {
  const auto attributes = read_attributes(context, signer);
  if (!attributes) return pass(attributes);
  if (context.range.max >= kNougat) {
    const auto type = single_value(*attributes, kContentTypeOid, context.name);
    if (!type) return pass(type);
    std::optional<std::string> oid;
    if (is_a(*type, der::kOid)) {
      if (auto text = der::decode_oid((*type)->content, der::kAnyBer)) oid = std::move(*text);
    }
    if (!oid) {
      return fail(SignatureError::kV1MissingAttribute,
                  context.name + ": no content type in the signed attributes");
    }
    if (*oid != context.data.content_type) return false;
  }
  const auto expected = single_value(*attributes, kMessageDigestOid, context.name);
  if (!expected) return pass(expected);
  if (!is_a(*expected, der::kOctetString)) {
    return fail(SignatureError::kV1MissingAttribute,
                context.name + ": no digest in the signed attributes");
  }
  const Bytes& actual = file_digest(context, *jar_digest(signer.digest_algorithm));
  const ByteView value = (*expected)->content;
  return std::equal(actual.begin(), actual.end(), value.begin(), value.end());
}

// The signer's certificate; nullptr when the signature is not by its key, which leaves the block's
// other signers to try; an error when the whole package is refused for it.
Result<const SignerCertificate*> verify_signer(const BlockContext& context,
                                               const Pkcs7Signer& signer) {
  if (!jar_algorithms_supported(signer.digest_algorithm, signer.signature_algorithm,
                                context.range)) {
    return fail(SignatureError::kV1UnsupportedAlgorithm,
                context.name + ": digest " + signer.digest_algorithm + " with signature " +
                    signer.signature_algorithm + " is not accepted by every API level from " +
                    std::to_string(context.range.min) + " to " + std::to_string(context.range.max));
  }
  const auto certificate = find_certificate(context, signer);
  if (!certificate) return pass(certificate);
  const auto scheme = jar_signature_scheme(signer.digest_algorithm, signer.signature_algorithm);
  const auto& key = (*certificate)->public_key;
  if (!key || key->type() != scheme->key_type) {
    return fail(SignatureError::kV1UnusableKey,
                context.name + ": the certificate's key is not one for the signature's algorithm");
  }
  Bytes attributes;
  ByteView signed_bytes = context.signature_file;
  if (signer.signed_attributes) {
    if (context.range.min < kKitKat) {
      return fail(SignatureError::kV1AttributesTooOld,
                  context.name + ": before API level 19 signed attributes protect nothing");
    }
    const auto match = attributes_match(context, signer);
    if (!match) return pass(match);
    if (!*match) return nullptr;
    // The signature is over the attributes as a SET, whatever tag they stand under in the block.
    attributes = to_bytes(*signer.signed_attributes);
    attributes.front() = kSetTag;
    signed_bytes = attributes;
  }
  if (auto ok = context.budget.take_steps(signed_bytes.size() / kBytesPerStep); !ok) {
    return pass(ok);
  }
  switch (key->check(*scheme, signed_bytes, signer.signature)) {
    case pki::SignatureCheck::kGood:
      return *certificate;
    case pki::SignatureCheck::kBad:
      return nullptr;
    case pki::SignatureCheck::kUnusable:
      break;
  }
  return fail(SignatureError::kV1UnusableSignature, context.name + ": a signature of " +
                                                        std::to_string(signer.signature.size()) +
                                                        " bytes that the key cannot have made");
}

}  // namespace

Result<SignerCertificate> verify_signature_block(ByteView block, ByteView signature_file,
                                                 const std::string& name, SdkRange range,
                                                 Budget& budget) {
  const auto data = parse_pkcs7(block);
  if (!data) return fail(SignatureError::kV1MalformedBlock, name + ": " + data.error().message());
  if (data->signers.empty()) {
    return fail(SignatureError::kV1NoSigners, name + " has no signer");
  }
  std::vector<SignerCertificate> certificates;
  for (const ByteView der : data->certificates) {
    auto certificate = read_signer_certificate(der);
    if (!certificate) {
      return fail(
          SignatureError::kV1MalformedCertificate,
          name + ": certificate " + std::to_string(certificates.size() + 1) + " is not X.509");
    }
    certificates.push_back(std::move(*certificate));
  }
  // Android 7 and newer try all signers and take the first that holds; older ones look at one.
  const std::size_t tried = range.min < kNougat ? 1 : data->signers.size();
  std::map<crypto::DigestAlgorithm, Bytes> digests;
  const BlockContext context{name, *data, certificates, signature_file, range, budget, digests};
  const SignerCertificate* first = nullptr;
  for (std::size_t i = 0; i < tried; ++i) {
    const auto certificate = verify_signer(context, data->signers[i]);
    if (!certificate) return pass(certificate);
    if (first == nullptr) first = *certificate;
  }
  if (first == nullptr) {
    return fail(SignatureError::kV1BadSignature, name + " does not verify its signature file");
  }
  return *first;
}

}  // namespace touchmark::package::signature
