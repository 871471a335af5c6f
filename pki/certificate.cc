#include "pki/certificate.h"

#include <algorithm>

#include "base/encoding.h"
#include "formats/der_fields.h"
#include "pki/platform_certificate.h"

namespace touchmark::pki {
namespace {

constexpr der::Oid kBasicConstraints("2.5.29.19");

// One reading of one certificate; what is wrong is noted in the fields' Failure.
class CertificateReader {
 public:
  CertificateReader(Reading reading, der::Failure& failure)
      : strict_(reading == Reading::kStrict), failure_(failure) {}

  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
  Certificate read(ByteView encoded) {
    certificate_.encoded = encoded;
    der::Fields whole(encoded, failure_, strict_ ? der::Options{} : der::kAnyBer);
    der::Fields fields = whole.enter(der::kSequence);
    if (strict_) whole.finish();
    der::Element tbs = fields.read(der::kSequence);
    certificate_.signed_bytes = tbs.full;
    certificate_.signature_algorithm = fields.read(der::kSequence).full;
    certificate_.signature = strict_ ? fields.bits() : fields.read(der::kBitString).content;
    fields.finish();
    read_tbs(der::Fields(tbs.content, failure_, strict_ ? der::Options{} : der::kAnyBer));
    return std::move(certificate_);
  }

 private:
  // TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
  //   subjectPublicKeyInfo, [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
  void read_tbs(der::Fields tbs) {
    read_version(tbs);
    certificate_.serial = tbs.read(der::kInteger).content;
    if (certificate_.serial.empty()) refuse(CertificateError::kMalformed, "empty serial number");
    const ByteView algorithm = tbs.read(der::kSequence).full;
    certificate_.issuer = tbs.read(der::kSequence).full;
    read_validity(tbs.enter(der::kSequence));
    certificate_.subject = tbs.read(der::kSequence).full;
    certificate_.spki = tbs.read(der::kSequence).full;
    tbs.optional(der::context_primitive(1));
    tbs.optional(der::context_primitive(2));
    if (!tbs.at_end()) read_extensions(tbs.enter(der::context(3)));
    tbs.finish();
    // The outer field is not signed: it may say nothing that the signed one does not say.
    if (strict_ && as_text(algorithm) != as_text(certificate_.signature_algorithm)) {
      refuse(CertificateError::kAlgorithmMismatch,
             "the signed and the unsigned signature algorithm differ");
    }
  }

  void read_version(der::Fields& tbs) {
    if (!strict_) {
      tbs.optional(der::context(0));
      return;
    }
    der::Fields wrapper = tbs.enter(der::context(0));
    const std::uint64_t version = wrapper.number();
    if (version != 2) {
      refuse(CertificateError::kMalformed, "version is " + std::to_string(version + 1));
    }
    wrapper.finish();
  }

  void read_validity(der::Fields validity) {
    for (UnixTime* time : {&certificate_.not_before, &certificate_.not_after}) {
      if (strict_) {
        *time = validity.time();
      } else {
        *time = der::decode_time(validity.read()).value_or(UnixTime{});
      }
    }
    validity.finish();
  }

  void read_extensions(der::Fields wrapper) {
    der::Fields list = wrapper.enter(der::kSequence);
    certificate_.extensions.reserve(8);
    while (!list.at_end()) {
      const Extension extension = read_extension(list.enter(der::kSequence));
      for (const Extension& other : certificate_.extensions) {
        if (strict_ && as_text(other.oid) == as_text(extension.oid)) {
          refuse(CertificateError::kDuplicateExtension,
                 "extension " + der::decode_oid(other.oid).value_or("?") + " stands twice");
        }
      }
      certificate_.extensions.push_back(extension);
    }
    wrapper.finish();
  }

  Extension read_extension(der::Fields fields) {
    Extension extension;
    extension.oid = fields.oid();
    // An explicit FALSE is not DER, yet some phones write it; TRUE as 01 likewise.
    if (fields.next_is(der::kBoolean)) extension.critical = fields.boolean(/*any_true=*/true);
    extension.value = fields.octets();
    fields.finish();
    return extension;
  }

  void refuse(CertificateError error, std::string message) {
    failure_.note(error, std::move(message));
  }

  bool strict_;
  der::Failure& failure_;
  Certificate certificate_;
};

}  // namespace

std::string_view error_id(CertificateError error) {
  using enum CertificateError;
  static constexpr auto kIds = error_table<CertificateError>({
      {kMalformed, "certificate.malformed"},
      {kAlgorithmMismatch, "certificate.algorithm-mismatch"},
      {kDuplicateExtension, "certificate.duplicate-extension"},
      {kTooLarge, "certificate.too-large"},
  });
  return kIds[error];
}

const Extension* Certificate::find(const der::Oid& oid) const {
  for (const Extension& extension : extensions) {
    if (extension.oid == oid) return &extension;
  }
  return nullptr;
}

Result<Certificate> parse_certificate(ByteView encoded, std::string_view which, Reading reading) {
  std::string prefix = std::string(which) + ": ";
  if (reading == Reading::kStrict && encoded.size() > kMaxCertificateBytes) {
    return fail(CertificateError::kTooLarge, prefix + std::to_string(encoded.size()) + " bytes");
  }
  // A length is read before anything is decoded: OpenSSL takes some forty bytes for each byte of a
  // certificate that is made of empty extensions.
  if (reading == Reading::kPlatform && encoded.size() > kMaxPlatformCertificateBytes) {
    const auto element = der::Reader(encoded, der::kAnyBer).read();
    if (!element || element->full.size() > kMaxPlatformCertificateBytes) {
      return fail(CertificateError::kTooLarge, prefix + "larger than any certificate");
    }
    encoded = element->full;
  }
  if (reading == Reading::kPlatform && !platform_takes(encoded)) {
    return fail(CertificateError::kMalformed, prefix + "not one that the platform takes");
  }
  der::Failure failure;
  Certificate certificate = CertificateReader(reading, failure).read(encoded);
  if (!failure) return certificate;
  const Error& error = failure.error();
  for (CertificateError own :
       {CertificateError::kAlgorithmMismatch, CertificateError::kDuplicateExtension,
        CertificateError::kMalformed}) {
    if (error.is(own)) return fail(own, prefix + error.message());
  }
  return fail(CertificateError::kMalformed, prefix + error.text());
}

std::string serial_hex(ByteView serial) {
  bool negative = !serial.empty() && (std::to_integer<unsigned>(serial[0]) & 0x80U) != 0;
  Bytes magnitude = to_bytes(serial);
  if (negative) {
    // Two's complement: invert and add one, from the end.
    unsigned carry = 1;
    for (auto byte = magnitude.rbegin(); byte != magnitude.rend(); ++byte) {
      unsigned sum = (~std::to_integer<unsigned>(*byte) & 0xffU) + carry;
      *byte = static_cast<std::byte>(sum);
      carry = sum >> 8;
    }
  }
  std::string hex = hex_encode(magnitude);
  std::size_t digits = std::min(hex.find_first_not_of('0'), hex.empty() ? 0 : hex.size() - 1);
  hex.erase(0, digits);
  if (negative) hex.insert(hex.begin(), '-');
  return hex;
}

std::optional<Issuing> read_issuing(const Certificate& certificate) {
  Issuing out;
  der::Failure failure;
  if (const Extension* constraints = certificate.find(kBasicConstraints)) {
    auto fields = der::Fields::of(constraints->value, der::kSequence, failure);
    const auto flag = fields.optional(der::kBoolean);
    out.is_ca = flag && failure.take(der::decode_boolean(flag->content, /*any_true=*/true));
    if (const auto length = fields.optional(der::kInteger)) {
      out.path_length = failure.take(der::decode_uint64(length->content));
    }
    fields.finish();
  }
  if (const Extension* usage = certificate.find(kKeyUsage)) {
    constexpr std::byte kKeyCertSign{0x04};  // bit 5 of the string, after the number of unused bits
    const auto bits = failure.take(der::parse(usage->value, der::kBitString));
    out.may_sign_certs =
        bits.content.size() >= 2 && (bits.content[1] & kKeyCertSign) != std::byte{};
  }
  if (failure) return std::nullopt;
  return out;
}

}  // namespace touchmark::pki
