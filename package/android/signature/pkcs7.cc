#include "package/android/signature/pkcs7.h"

#include "package/android/signature/ber.h"
#include "package/android/signature/error.h"

namespace touchmark::package::signature {
namespace {

constexpr std::string_view kSignedDataOid = "1.2.840.113549.1.7.2";

tl::unexpected<Error> malformed(const char* what) {
  return fail(SignatureError::kV1MalformedBlock, std::string("signature block: ") + what);
}

// The next value if it is of this universal type.
std::optional<BerValue> expect(BerReader& reader, std::uint32_t tag) {
  const auto value = reader.next();
  return value && value->is(tag) ? value : std::nullopt;
}

std::optional<std::string> algorithm_oid(const std::optional<BerValue>& sequence) {
  if (!sequence || !sequence->is(kBerSequence)) return std::nullopt;
  BerReader fields(sequence->contents);
  const auto oid = expect(fields, kBerObjectId);
  if (!oid) return std::nullopt;
  // Parameters, or whatever follows, mean nothing here but have to be a value.
  if (!fields.empty() && !fields.next()) return std::nullopt;
  return oid_text(oid->contents);
}

// sid: IssuerAndSerialNumber, or [0] subject key identifier.
bool read_signer_id(const std::optional<BerValue>& id, Pkcs7Signer& signer) {
  if (!id) return false;
  if (id->is_context(0)) return true;
  if (!id->is(kBerSequence)) return false;
  BerReader fields(id->contents);
  const auto issuer = fields.next();
  const auto serial = expect(fields, kBerInteger);
  if (!issuer || !serial || serial->contents.empty()) return false;
  signer.issuer = issuer->encoded;
  signer.serial = serial->contents;
  return true;
}

std::optional<Pkcs7Signer> read_signer(const BerValue& value) {
  if (!value.is(kBerSequence)) return std::nullopt;
  BerReader fields(value.contents);
  Pkcs7Signer signer;
  if (!expect(fields, kBerInteger) || !read_signer_id(fields.next(), signer)) return std::nullopt;
  const auto digest_algorithm = algorithm_oid(fields.next());
  auto next = fields.next();
  if (next && next->is_context(0)) {
    signer.signed_attributes = next->encoded;
    next = fields.next();
  }
  const auto signature_algorithm = algorithm_oid(next);
  const auto signature = expect(fields, kBerOctetString);
  if (!digest_algorithm || !signature_algorithm || !signature) return std::nullopt;
  signer.digest_algorithm = *digest_algorithm;
  signer.signature_algorithm = *signature_algorithm;
  signer.signature = signature->contents;
  return signer;
}

// ContentInfo: OID, then SignedData in an explicit [0].
Result<ByteView> signed_data_of(ByteView block) {
  BerReader outer(block);
  const auto info = expect(outer, kBerSequence);
  if (!info) return malformed("not a ContentInfo");
  BerReader fields(info->contents);
  const auto type = expect(fields, kBerObjectId);
  if (!type || oid_text(type->contents) != kSignedDataOid) return malformed("not SignedData");
  const auto content = fields.next();
  if (!content || !content->is_context(0)) return malformed("no content");
  BerReader inner(content->contents);
  const auto signed_data = expect(inner, kBerSequence);
  if (!signed_data) return malformed("content is not SignedData");
  return signed_data->contents;
}

}  // namespace

Result<Pkcs7SignedData> parse_pkcs7(ByteView block) {
  const auto contents = signed_data_of(block);
  if (!contents) return pass(contents);
  BerReader fields(*contents);
  Pkcs7SignedData data;
  if (!expect(fields, kBerInteger)) return malformed("no version");
  const auto digest_algorithms = expect(fields, kBerSet);
  if (!digest_algorithms) return malformed("no digest algorithms");
  for (BerReader algorithms(digest_algorithms->contents); !algorithms.empty();) {
    if (!algorithm_oid(algorithms.next())) return malformed("malformed digest algorithms");
  }
  const auto encapsulated = expect(fields, kBerSequence);
  const auto content_type = algorithm_oid(encapsulated);  // also a SEQUENCE that an OID begins
  if (!content_type) return malformed("no content type");
  data.content_type = *content_type;
  auto next = fields.next();
  if (next && next->is_context(0)) {
    for (BerReader certificates(next->contents); !certificates.empty();) {
      const auto certificate = certificates.next();
      if (!certificate || data.certificates.size() == kMaxPkcs7Items) {
        return malformed("malformed or too many certificates");
      }
      data.certificates.push_back(certificate->encoded);
    }
    next = fields.next();
  }
  if (next && next->is_context(1)) next = fields.next();  // CRLs
  if (!next || !next->is(kBerSet)) return malformed("no set of signers");
  for (BerReader signers(next->contents); !signers.empty();) {
    const auto value = signers.next();
    const auto signer = value ? read_signer(*value) : std::nullopt;
    if (!signer || data.signers.size() == kMaxPkcs7Items) {
      return malformed("malformed or too many signers");
    }
    data.signers.push_back(*signer);
  }
  return data;
}

Result<std::vector<Pkcs7Attribute>> parse_attributes(ByteView encoded) {
  const auto malformed_attributes = [] {
    return fail(SignatureError::kV1MalformedAttributes, "signed attributes cannot be read");
  };
  BerReader outer(encoded);
  const auto set = outer.next();
  if (!set) return malformed_attributes();
  std::vector<Pkcs7Attribute> attributes;
  for (BerReader reader(set->contents); !reader.empty();) {
    const auto sequence = expect(reader, kBerSequence);
    const auto type = algorithm_oid(sequence);  // also a SEQUENCE that an OID begins
    if (!type || attributes.size() == kMaxPkcs7Items) return malformed_attributes();
    BerReader fields(sequence->contents);
    fields.next();
    const auto values = expect(fields, kBerSet);
    if (!values) return malformed_attributes();
    Pkcs7Attribute attribute{*type, {}};
    for (BerReader items(values->contents); !items.empty();) {
      const auto item = items.next();
      if (!item || attribute.values.size() == kMaxPkcs7Items) return malformed_attributes();
      attribute.values.push_back(item->encoded);
    }
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

}  // namespace touchmark::package::signature
