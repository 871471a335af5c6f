#include "pki/cms.h"

#include <algorithm>

#include "formats/der_fields.h"
#include "pki/platform_certificate.h"

namespace touchmark::pki {
namespace {

using crypto::DigestAlgorithm;

constexpr der::Oid kSignedData("1.2.840.113549.1.7.2");
constexpr der::Oid kData("1.2.840.113549.1.7.1");
constexpr der::Oid kMessageDigest("1.2.840.113549.1.9.4");
constexpr der::Oid kSubjectKeyId("2.5.29.14");
constexpr std::size_t kMaxReceiptCertificates = 8;
constexpr std::size_t kMaxCertificates = 64;

constexpr std::pair<der::Oid, DigestAlgorithm> kDigests[] = {
    {der::Oid("1.2.840.113549.2.5"), DigestAlgorithm::kMd5},
    {der::Oid("1.3.14.3.2.26"), DigestAlgorithm::kSha1},
    {der::Oid("2.16.840.1.101.3.4.2.4"), DigestAlgorithm::kSha224},
    {der::Oid("2.16.840.1.101.3.4.2.1"), DigestAlgorithm::kSha256},
    {der::Oid("2.16.840.1.101.3.4.2.2"), DigestAlgorithm::kSha384},
    {der::Oid("2.16.840.1.101.3.4.2.3"), DigestAlgorithm::kSha512},
};

// Who signed: a certificate's issuer (DER Name) and serial number, or its key's identifier.
struct SignerId {
  ByteView issuer;
  ByteView serial;
  ByteView key_id;

  bool names(const Certificate& certificate, CmsUse use) const {
    if (key_id.empty()) {
      return use == CmsUse::kReceipt ? as_text(certificate.serial) == as_text(serial) &&
                                           names_equal(certificate.issuer, issuer)
                                     : same_serial(certificate.serial, serial) &&
                                           names_match(certificate.issuer, issuer);
    }
    const Extension* extension = certificate.find(kSubjectKeyId);
    if (extension == nullptr) return false;
    const auto own = der::parse(extension->value, der::kOctetString);
    return own && as_text(own->content) == as_text(key_id);
  }
};

// One parse; what is wrong is noted in the Failure.
class SignedDataReader {
 public:
  SignedDataReader(CmsUse use, der::Failure& failure)
      : receipt_(use == CmsUse::kReceipt),
        options_{.indefinite_length = true, .padded_numbers = !receipt_},
        failure_(failure) {}

  // ContentInfo ::= SEQUENCE { contentType, [0] EXPLICIT SignedData }
  void read(ByteView encoded) {
    der::Fields whole(encoded, failure_, options_);
    der::Fields info = whole.enter(der::kSequence);
    if (receipt_) whole.finish();
    if (info.oid() != kSignedData) refuse(CmsError::kMalformed, "not SignedData");
    der::Fields wrapper = info.enter(der::context(0));
    info.finish();
    der::Fields fields = wrapper.enter(der::kSequence);
    wrapper.finish();

    read_version(fields);
    der::Fields digests = fields.enter(der::kSet);
    if (receipt_) {
      read_digest(digests);
      digests.finish();
    }
    read_content(fields.enter(der::kSequence));
    if (receipt_ || fields.next_is(der::context(0))) {
      read_certificates(fields.enter(der::context(0)));
    }
    if (!receipt_) fields.optional(der::context(1));  // CRLs
    der::Fields signers = fields.enter(der::kSet);
    fields.finish();
    if (!failure_ && signers.at_end()) refuse(CmsError::kSignerCount, "no signer");
    der::Fields signer = signers.enter(der::kSequence);
    if (!signers.at_end()) refuse(CmsError::kSignerCount, "more than one signer");
    read_signer(signer);
  }

  SignedData data;
  SignerId signer_id;

 private:
  void read_version(der::Fields& fields) {
    const std::uint64_t version = fields.number();
    if (receipt_ && version != 1) {
      refuse(CmsError::kMalformed, "version " + std::to_string(version));
    }
  }

  // AlgorithmIdentifier; a receipt's parameters are absent or NULL.
  DigestAlgorithm read_digest(der::Fields& reader) {
    der::Fields identifier = reader.enter(der::kSequence);
    const ByteView oid = identifier.oid();
    if (auto null = identifier.optional(der::kNull)) {
      if (!null->content.empty()) refuse(CmsError::kMalformed, "a NULL with content");
    }
    const auto* known =
        std::ranges::find_if(kDigests, [oid](const auto& row) { return oid == row.first; });
    if (known == std::end(kDigests) || (receipt_ && known->second != DigestAlgorithm::kSha256)) {
      refuse(CmsError::kUnsupportedAlgorithm,
             receipt_ ? "the digest is not SHA-256" : "a digest that is not known");
      return DigestAlgorithm::kSha256;
    }
    if (receipt_) identifier.finish();
    return known->second;
  }

  // EncapsulatedContentInfo ::= SEQUENCE { eContentType, [0] EXPLICIT OCTET STRING OPTIONAL }
  void read_content(der::Fields info) {
    const ByteView type = info.oid();
    if (receipt_ && type != kData) refuse(CmsError::kMalformed, "the content is not data");
    if (receipt_ || !info.at_end()) {
      der::Fields wrapper = info.enter(der::context(0));
      const der::Element octets = wrapper.read();
      if (!failure_) data.content = failure_.take(der::decode_octets(octets, options_));
      wrapper.finish();
    }
    info.finish();
  }

  // Of a package, certificates of other kinds than X.509's are skipped.
  void read_certificates(der::Fields list) {
    while (!list.at_end()) {
      const der::Element certificate = receipt_ ? list.read(der::kSequence) : list.read();
      if (data.certificates.size() == (receipt_ ? kMaxReceiptCertificates : kMaxCertificates)) {
        refuse(CmsError::kMalformed, "too many certificates");
      }
      if (certificate.tag == der::kSequence) {
        data.certificates.push_back(to_bytes(certificate.full));
      }
    }
  }

  // SignerInfo ::= SEQUENCE { version, sid, digestAlgorithm, [0] signedAttrs, signatureAlgorithm,
  //   signature, [1] unsignedAttrs }
  void read_signer(der::Fields& info) {
    read_version(info);
    if (!receipt_ && info.next_is(der::context_primitive(0))) {
      signer_id.key_id = info.read().content;
    } else {
      der::Fields id = info.enter(der::kSequence);
      signer_id.issuer = id.read(der::kSequence).full;
      signer_id.serial = id.read(der::kInteger).content;
      id.finish();
    }
    data.digest = read_digest(info);
    if (auto attributes = info.optional(der::context(0))) {
      // What is signed is the SET, not the implicit [0] (RFC 5652 section 5.4).
      data.signed_attributes = to_bytes(attributes->full);
      data.signed_attributes[0] = std::byte{0x31};
    }
    data.signature_algorithm = info.read(der::kSequence).full;
    data.signature = info.octets();
    if (!receipt_) info.optional(der::context(1));
    info.finish();
  }

  void refuse(CmsError error, std::string message) { failure_.note(error, std::move(message)); }

  bool receipt_;
  der::Options options_;
  der::Failure& failure_;
};

// Moves the first certificate that `matches` from `all` to the end of `chain`.
bool take(std::vector<Bytes>& all, std::vector<Bytes>& chain, Reading reading, auto matches) {
  for (auto at = all.begin(); at != all.end(); ++at) {
    auto certificate = parse_certificate(*at, "certificate", reading);
    if (!certificate || !matches(*certificate)) continue;
    chain.push_back(std::move(*at));
    all.erase(at);
    return true;
  }
  return false;
}

// Puts the signer's certificate first and, of a receipt, each one's issuer after it.
Result<void> order_certificates(std::vector<Bytes>& certificates, const SignerId& signer,
                                CmsUse use) {
  const bool receipt = use == CmsUse::kReceipt;
  std::vector<Bytes> chain;
  const auto is_signer = [&](const Certificate& c) { return signer.names(c, use); };
  if (!take(certificates, chain, receipt ? Reading::kStrict : Reading::kPlatform, is_signer)) {
    return fail(CmsError::kNoCertificate, "no certificate is the signer's");
  }
  while (receipt && !certificates.empty()) {
    const Bytes issuer = to_bytes(parse_certificate(chain.back())->issuer);
    const auto is_issuer = [&](const Certificate& c) { return names_equal(c.subject, issuer); };
    if (!take(certificates, chain, Reading::kStrict, is_issuer)) {
      return fail(CmsError::kUnusedCertificate, "a certificate is no part of the signer's chain");
    }
  }
  std::ranges::move(certificates, std::back_inserter(chain));
  certificates = std::move(chain);
  return {};
}

// The messageDigest attribute (RFC 5652 section 11.2) binds the attributes to the content.
Result<void> check_message_digest(const SignedData& data, ByteView content) {
  der::Failure failure;
  auto attributes = der::Fields::of(data.signed_attributes, der::kSet, failure);
  while (!attributes.at_end()) {
    auto attribute = attributes.enter(der::kSequence);
    if (attribute.oid() != kMessageDigest) continue;
    const ByteView digest = attribute.enter(der::kSet).octets();
    if (failure) break;
    if (crypto::constant_time_equal(digest, crypto::digest(data.digest, content))) return {};
    break;
  }
  failure.note(CmsError::kDigestMismatch, "the signed attributes are not of this content");
  return failure.result();
}

}  // namespace

std::string_view error_id(CmsError error) {
  using enum CmsError;
  static constexpr auto kIds = error_table<CmsError>({
      {kMalformed, "cms.malformed"},
      {kSignerCount, "cms.signer-count"},
      {kUnsupportedAlgorithm, "cms.unsupported-algorithm"},
      {kNoCertificate, "cms.no-certificate"},
      {kUnusedCertificate, "cms.unused-certificate"},
      {kDigestMismatch, "cms.digest-mismatch"},
      {kBadSignature, "cms.bad-signature"},
      {kUntrusted, "cms.untrusted"},
      {kNotForCode, "cms.not-for-code"},
  });
  return kIds[error];
}

Result<SignedData> parse_signed_data(ByteView encoded, CmsUse use) {
  der::Failure failure;
  SignedDataReader reader(use, failure);
  reader.read(encoded);
  if (failure) {
    const Error& error = failure.error();
    const bool own = error.is(CmsError::kMalformed) || error.is(CmsError::kSignerCount) ||
                     error.is(CmsError::kUnsupportedAlgorithm);
    if (own) return tl::unexpected<Error>(error);
    return fail(CmsError::kMalformed, error.text());
  }
  auto ordered = order_certificates(reader.data.certificates, reader.signer_id, use);
  if (!ordered) return pass(ordered);
  return std::move(reader.data);
}

Result<void> check_signature(const SignedData& data, ByteView content, const PublicKey& key,
                             SignatureAlgorithm algorithm) {
  const bool has_attributes = !data.signed_attributes.empty();
  if (has_attributes) {
    if (auto digest = check_message_digest(data, content); !digest) return digest;
  }
  auto verified =
      key.verify(algorithm, has_attributes ? data.signed_attributes : content, data.signature);
  if (!verified) return fail(CmsError::kBadSignature, verified.error().message());
  return {};
}

Result<std::shared_ptr<const IssuerChain>> verify_receipt(const SignedData& data,
                                                          const IssuerVerifier& issuers) {
  // The whole chain goes through the cache, the signer's own certificate included: Apple signs all
  // receipts of a year with one.
  auto chain = issuers.verify(data.certificates);
  if (!chain) return chain;
  auto algorithm = parse_signature_algorithm(data.signature_algorithm);
  if (!algorithm) return fail(CmsError::kUnsupportedAlgorithm, algorithm.error().message());
  auto signature = check_signature(data, *data.content, (*chain)->leaf_issuer_key, *algorithm);
  if (!signature) return pass(signature);
  return chain;
}

}  // namespace touchmark::pki
