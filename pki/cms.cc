#include "pki/cms.h"

#include <algorithm>

#include "crypto/crypto.h"

namespace touchmark::pki {
namespace {

constexpr der::Oid kSignedData("1.2.840.113549.1.7.2");
constexpr der::Oid kData("1.2.840.113549.1.7.1");
constexpr der::Oid kSha256("2.16.840.1.101.3.4.2.1");
constexpr der::Oid kMessageDigest("1.2.840.113549.1.9.4");
constexpr std::size_t kMaxCertificates = 8;

Result<void> expect_number(der::Reader& reader, std::uint64_t wanted) {
  auto element = reader.read(der::kInteger);
  if (!element) return pass(element);
  auto number = der::decode_uint64(element->content);
  if (!number) return pass(number);
  if (*number != wanted) {
    return fail(CmsError::kMalformed, "version " + std::to_string(*number));
  }
  return {};
}

// AlgorithmIdentifier of SHA-256, its parameters absent or NULL.
Result<void> expect_sha256(der::Reader& reader) {
  auto identifier = reader.enter(der::kSequence);
  if (!identifier) return pass(identifier);
  auto oid = identifier->read(der::kOid);
  if (!oid) return pass(oid);
  if (oid->content != kSha256) {
    return fail(CmsError::kUnsupportedAlgorithm, "the digest is not SHA-256");
  }
  auto parameters = identifier->read_optional(der::kNull);
  if (!parameters) return pass(parameters);
  if (*parameters && !(*parameters)->content.empty()) {
    return fail(CmsError::kMalformed, "a NULL with content");
  }
  return identifier->finish();
}

// EncapsulatedContentInfo ::= SEQUENCE { eContentType, [0] EXPLICIT OCTET STRING }
Result<Bytes> read_content(der::Reader& reader) {
  auto info = reader.enter(der::kSequence);
  if (!info) return pass(info);
  auto type = info->read(der::kOid);
  if (!type) return pass(type);
  if (type->content != kData) return fail(CmsError::kMalformed, "the content is not data");
  auto wrapper = info->enter(der::context(0));
  if (!wrapper) return pass(wrapper);
  auto octets = wrapper->read();
  if (!octets) return pass(octets);
  auto content = der::decode_octets(*octets, der::kBer);
  if (!content) return content;
  if (auto end = wrapper->finish(); !end) return pass(end);
  if (auto end = info->finish(); !end) return pass(end);
  return content;
}

Result<std::vector<Bytes>> read_certificates(der::Reader& reader) {
  auto list = reader.enter(der::context(0));
  if (!list) return pass(list);
  std::vector<Bytes> certificates;
  while (!list->at_end()) {
    auto certificate = list->read(der::kSequence);
    if (!certificate) return pass(certificate);
    if (certificates.size() == kMaxCertificates) {
      return fail(CmsError::kMalformed, "too many certificates");
    }
    certificates.push_back(to_bytes(certificate->full));
  }
  return certificates;
}

struct Signer {
  ByteView issuer;  // DER Name
  ByteView serial;
};

// SignerInfo ::= SEQUENCE { version, issuerAndSerialNumber, digestAlgorithm, [0] signedAttrs,
//   signatureAlgorithm, signature }
Result<Signer> read_signer(der::Reader& reader, SignedData& data) {
  auto set = reader.enter(der::kSet);
  if (!set) return pass(set);
  auto info = set->enter(der::kSequence);
  if (!info) return pass(info);
  if (auto end = set->finish(); !end) return pass(end);  // one signer
  if (auto version = expect_number(*info, 1); !version) return pass(version);
  auto id = info->enter(der::kSequence);
  if (!id) return pass(id);
  auto issuer = id->read(der::kSequence);
  if (!issuer) return pass(issuer);
  auto serial = id->read(der::kInteger);
  if (!serial) return pass(serial);
  if (auto end = id->finish(); !end) return pass(end);
  if (auto digest = expect_sha256(*info); !digest) return pass(digest);
  auto attributes = info->read_optional(der::context(0));
  if (!attributes) return pass(attributes);
  if (*attributes) {
    // What is signed is the SET, not the implicit [0] (RFC 5652 section 5.4).
    data.signed_attributes = to_bytes((*attributes)->full);
    data.signed_attributes[0] = std::byte{0x31};
  }
  auto algorithm = info->read(der::kSequence);
  if (!algorithm) return pass(algorithm);
  data.signature_algorithm = algorithm->full;
  auto signature = info->read(der::kOctetString);
  if (!signature) return pass(signature);
  data.signature = signature->content;
  if (auto end = info->finish(); !end) return pass(end);
  return Signer{issuer->full, serial->content};
}

// Puts the signer's certificate first and each one's issuer after it. None may be left over: bytes
// that nothing vouches for have no place in evidence.
Result<std::vector<Bytes>> order_chain(std::vector<Bytes> certificates, const Signer& signer) {
  std::vector<Bytes> chain;
  auto take = [&](auto matches) {
    for (auto at = certificates.begin(); at != certificates.end(); ++at) {
      auto certificate = parse_certificate(*at);
      if (!certificate || !matches(*certificate)) continue;
      chain.push_back(std::move(*at));
      certificates.erase(at);
      return true;
    }
    return false;
  };
  if (!take([&](const Certificate& c) {
        return as_text(c.serial) == as_text(signer.serial) && names_equal(c.issuer, signer.issuer);
      })) {
    return fail(CmsError::kNoSignerCertificate, "no certificate is the signer's");
  }
  while (!certificates.empty()) {
    Bytes issuer = to_bytes(parse_certificate(chain.back())->issuer);
    if (!take([&](const Certificate& c) { return names_equal(c.subject, issuer); })) {
      return fail(CmsError::kUnusedCertificate, "a certificate is no part of the signer's chain");
    }
  }
  return chain;
}

Result<SignedData> read_signed_data(ByteView encoded) {
  auto outer = der::parse(encoded, der::kSequence, der::kBer);
  if (!outer) return pass(outer);
  der::Reader info(outer->content, der::kBer);
  auto type = info.read(der::kOid);
  if (!type) return pass(type);
  if (type->content != kSignedData) return fail(CmsError::kMalformed, "not SignedData");
  auto wrapper = info.enter(der::context(0));
  if (!wrapper) return pass(wrapper);
  if (auto end = info.finish(); !end) return pass(end);
  auto fields = wrapper->enter(der::kSequence);
  if (!fields) return pass(fields);
  if (auto end = wrapper->finish(); !end) return pass(end);

  if (auto version = expect_number(*fields, 1); !version) return pass(version);
  auto digests = fields->enter(der::kSet);
  if (!digests) return pass(digests);
  if (auto digest = expect_sha256(*digests); !digest) return pass(digest);
  if (auto end = digests->finish(); !end) return pass(end);
  SignedData data;
  auto content = read_content(*fields);
  if (!content) return pass(content);
  data.content = std::move(*content);
  auto certificates = read_certificates(*fields);
  if (!certificates) return pass(certificates);
  auto signer = read_signer(*fields, data);
  if (!signer) return pass(signer);
  if (auto end = fields->finish(); !end) return pass(end);
  auto chain = order_chain(std::move(*certificates), *signer);
  if (!chain) return pass(chain);
  data.certificates = std::move(*chain);
  return data;
}

// The messageDigest attribute (RFC 5652 section 11.2) binds the attributes to the content.
Result<void> check_message_digest(const SignedData& data) {
  der::Reader attributes(der::parse(data.signed_attributes, der::kSet)->content);
  while (!attributes.at_end()) {
    auto attribute = attributes.enter(der::kSequence);
    if (!attribute) return pass(attribute);
    auto type = attribute->read(der::kOid);
    if (!type) return pass(type);
    if (type->content != kMessageDigest) continue;
    auto values = attribute->enter(der::kSet);
    if (!values) return pass(values);
    auto digest = values->read(der::kOctetString);
    if (!digest) return pass(digest);
    if (!crypto::constant_time_equal(digest->content, crypto::sha256(data.content))) break;
    return {};
  }
  return fail(CmsError::kDigestMismatch, "the signed attributes are not of this content");
}

}  // namespace

std::string_view error_id(CmsError error) {
  using enum CmsError;
  static constexpr auto kIds = error_table<CmsError>({
      {kMalformed, "cms.malformed"},
      {kUnsupportedAlgorithm, "cms.unsupported-algorithm"},
      {kNoSignerCertificate, "cms.no-signer-certificate"},
      {kUnusedCertificate, "cms.unused-certificate"},
      {kDigestMismatch, "cms.digest-mismatch"},
      {kBadSignature, "cms.bad-signature"},
  });
  return kIds[error];
}

Result<SignedData> parse_signed_data(ByteView encoded) {
  auto data = read_signed_data(encoded);
  if (data) return data;
  const Error& error = data.error();
  for (CmsError own : {CmsError::kMalformed, CmsError::kUnsupportedAlgorithm,
                       CmsError::kNoSignerCertificate, CmsError::kUnusedCertificate}) {
    if (error.is(own)) return data;
  }
  return fail(CmsError::kMalformed, error.text());
}

Result<std::shared_ptr<const IssuerChain>> verify_signed_data(const SignedData& data,
                                                              const IssuerVerifier& issuers) {
  // The whole chain goes through the cache, the signer's own certificate included: Apple signs all
  // receipts of a year with one.
  auto chain = issuers.verify(data.certificates);
  if (!chain) return chain;
  auto algorithm = parse_signature_algorithm(data.signature_algorithm);
  if (!algorithm) return fail(CmsError::kUnsupportedAlgorithm, algorithm.error().message());
  bool has_attributes = !data.signed_attributes.empty();
  if (has_attributes) {
    if (auto digest = check_message_digest(data); !digest) return pass(digest);
  }
  auto verified = (*chain)->leaf_issuer_key.verify(
      *algorithm, has_attributes ? data.signed_attributes : data.content, data.signature);
  if (!verified) return fail(CmsError::kBadSignature, verified.error().message());
  return chain;
}

}  // namespace touchmark::pki
