#include "package/android/signature/pkcs7.h"

#include "formats/der_fields.h"
#include "package/android/signature/error.h"

namespace touchmark::package::signature {
namespace {

constexpr std::string_view kSignedDataOid = "1.2.840.113549.1.7.2";

std::string oid_text(der::Fields& fields) {
  const ByteView oid = fields.oid();
  der::Failure& failure = fields.failure();
  return failure ? std::string() : failure.take(der::decode_oid(oid, der::kAnyBer));
}

// A SEQUENCE that an OBJECT IDENTIFIER begins. Parameters, or whatever follows, mean nothing here
// but have to be a value.
std::string algorithm(der::Fields& reader) {
  der::Fields fields = reader.enter(der::kSequence);
  std::string oid = oid_text(fields);
  if (!fields.at_end()) fields.read();
  return oid;
}

// sid: IssuerAndSerialNumber, or [0] subject key identifier.
void read_signer_id(der::Fields& reader, Pkcs7Signer& signer) {
  if (reader.optional(der::context(0))) return;
  der::Fields id = reader.enter(der::kSequence);
  signer.issuer = id.read().full;
  signer.serial = id.read(der::kInteger).content;
  if (signer.serial.empty()) {
    id.failure().note(der::DerError::kBadInteger, "a signer's serial number is empty");
  }
}

Pkcs7Signer read_signer(der::Fields& signers) {
  der::Fields fields = signers.enter(der::kSequence);
  Pkcs7Signer signer;
  fields.read(der::kInteger);
  read_signer_id(fields, signer);
  signer.digest_algorithm = algorithm(fields);
  if (auto attributes = fields.optional(der::context(0))) {
    signer.signed_attributes = attributes->full;
  }
  signer.signature_algorithm = algorithm(fields);
  signer.signature = fields.octets();
  return signer;
}

template <class T>
void add(std::vector<T>& list, T item, der::Failure& failure) {
  if (list.size() == kMaxPkcs7Items) {
    failure.note(SignatureError::kV1MalformedBlock,
                 "over " + std::to_string(kMaxPkcs7Items) + " of its parts are of one kind");
  }
  list.push_back(std::move(item));
}

}  // namespace

Result<Pkcs7SignedData> parse_pkcs7(ByteView block) {
  der::Failure failure;
  // ContentInfo: OID, then SignedData in an explicit [0]. What follows is skipped on each level.
  der::Fields info = der::Fields(block, failure, der::kAnyBer).enter(der::kSequence);
  if (oid_text(info) != kSignedDataOid) {
    failure.note(SignatureError::kV1MalformedBlock, "not SignedData");
  }
  der::Fields fields = info.enter(der::context(0)).enter(der::kSequence);
  fields.read(der::kInteger);
  for (der::Fields algorithms = fields.enter(der::kSet); !algorithms.at_end();) {
    algorithm(algorithms);
  }
  Pkcs7SignedData data;
  data.content_type = algorithm(fields);  // also a SEQUENCE that an OID begins
  if (auto list = fields.optional(der::context(0))) {
    for (der::Fields certificates(list->content, failure, der::kAnyBer); !certificates.at_end();) {
      add(data.certificates, certificates.read().full, failure);
    }
  }
  fields.optional(der::context(1));  // CRLs
  for (der::Fields signers = fields.enter(der::kSet); !signers.at_end();) {
    add(data.signers, read_signer(signers), failure);
  }
  if (!failure) return data;
  return fail(SignatureError::kV1MalformedBlock, "signature block: " + failure.error().message());
}

Result<std::vector<Pkcs7Attribute>> parse_attributes(ByteView encoded) {
  der::Failure failure;
  std::vector<Pkcs7Attribute> attributes;
  der::Fields reader(der::Fields(encoded, failure, der::kAnyBer).read().content, failure,
                     der::kAnyBer);
  while (!reader.at_end()) {
    der::Fields fields = reader.enter(der::kSequence);
    Pkcs7Attribute attribute{oid_text(fields), {}};
    der::Fields values = fields.enter(der::kSet);
    while (!values.at_end()) add(attribute.values, values.read().full, failure);
    add(attributes, std::move(attribute), failure);
  }
  if (!failure) return attributes;
  return fail(SignatureError::kV1MalformedAttributes,
              "signed attributes cannot be read: " + failure.error().message());
}

}  // namespace touchmark::package::signature
