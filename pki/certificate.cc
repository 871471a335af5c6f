#include "pki/certificate.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::pki {
namespace {

constexpr der::Oid kBasicConstraints("2.5.29.19");

// TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
//   subjectPublicKeyInfo, [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
Result<void> read_version(der::Reader& tbs) {
  auto wrapper = tbs.enter(der::context(0));
  if (!wrapper) return pass(wrapper);
  auto version = wrapper->read(der::kInteger);
  if (!version) return pass(version);
  auto number = der::decode_uint64(version->content);
  if (!number) return pass(number);
  if (*number != 2) {
    return fail(CertificateError::kMalformed, "version is " + std::to_string(*number + 1));
  }
  return wrapper->finish();
}

Result<void> read_validity(der::Reader& tbs, Certificate& certificate) {
  auto validity = tbs.enter(der::kSequence);
  if (!validity) return pass(validity);
  for (UnixTime* time : {&certificate.not_before, &certificate.not_after}) {
    auto element = validity->read();
    if (!element) return pass(element);
    auto decoded = der::decode_time(*element);
    if (!decoded) return pass(decoded);
    *time = *decoded;
  }
  return validity->finish();
}

Result<Extension> read_extension(der::Reader& list) {
  auto reader = list.enter(der::kSequence);
  if (!reader) return pass(reader);
  Extension extension;
  auto oid = reader->read(der::kOid);
  if (!oid) return pass(oid);
  extension.oid = oid->content;
  auto critical = reader->read_optional(der::kBoolean);
  if (!critical) return pass(critical);
  if (*critical) {
    // An explicit FALSE is not DER, yet some phones write it; TRUE as 01 likewise.
    auto flag = der::decode_boolean((*critical)->content, /*any_true=*/true);
    if (!flag) return pass(flag);
    extension.critical = *flag;
  }
  auto value = reader->read(der::kOctetString);
  if (!value) return pass(value);
  extension.value = value->content;
  if (auto end = reader->finish(); !end) return pass(end);
  return extension;
}

Result<void> read_extensions(der::Reader& tbs, Certificate& certificate) {
  for (std::uint32_t unique_id : {1U, 2U}) {
    auto skipped = tbs.read_optional(der::context_primitive(unique_id));
    if (!skipped) return pass(skipped);
  }
  if (tbs.at_end()) return {};
  auto wrapper = tbs.enter(der::context(3));
  if (!wrapper) return pass(wrapper);
  auto list = wrapper->enter(der::kSequence);
  if (!list) return pass(list);
  certificate.extensions.reserve(8);
  while (!list->at_end()) {
    auto extension = read_extension(*list);
    if (!extension) return pass(extension);
    for (const Extension& other : certificate.extensions) {
      if (as_text(other.oid) == as_text(extension->oid)) {
        return fail(CertificateError::kDuplicateExtension,
                    "extension " + der::decode_oid(other.oid).value_or("?") + " stands twice");
      }
    }
    certificate.extensions.push_back(*extension);
  }
  return wrapper->finish();
}

// The fields of the TBSCertificate; `algorithm` receives its own signature field.
Result<void> read_tbs(ByteView content, Certificate& certificate, ByteView& algorithm) {
  der::Reader tbs(content);
  if (auto version = read_version(tbs); !version) return version;
  auto serial = tbs.read(der::kInteger);
  if (!serial) return pass(serial);
  if (serial->content.empty()) return fail(CertificateError::kMalformed, "empty serial number");
  certificate.serial = serial->content;
  auto signature = tbs.read(der::kSequence);
  if (!signature) return pass(signature);
  algorithm = signature->full;
  auto issuer = tbs.read(der::kSequence);
  if (!issuer) return pass(issuer);
  certificate.issuer = issuer->full;
  if (auto validity = read_validity(tbs, certificate); !validity) return validity;
  auto subject = tbs.read(der::kSequence);
  if (!subject) return pass(subject);
  certificate.subject = subject->full;
  auto spki = tbs.read(der::kSequence);
  if (!spki) return pass(spki);
  certificate.spki = spki->full;
  if (auto extensions = read_extensions(tbs, certificate); !extensions) return extensions;
  return tbs.finish();
}

Result<void> read_certificate(ByteView encoded, Certificate& certificate) {
  auto outer = der::parse(encoded, der::kSequence);
  if (!outer) return pass(outer);
  der::Reader reader(outer->content);
  auto tbs = reader.read(der::kSequence);
  if (!tbs) return pass(tbs);
  certificate.encoded = encoded;
  certificate.signed_bytes = tbs->full;
  auto algorithm = reader.read(der::kSequence);
  if (!algorithm) return pass(algorithm);
  certificate.signature_algorithm = algorithm->full;
  auto bits = reader.read(der::kBitString);
  if (!bits) return pass(bits);
  auto signature = der::decode_octet_aligned_bits(bits->content);
  if (!signature) return pass(signature);
  certificate.signature = *signature;
  if (auto end = reader.finish(); !end) return end;
  ByteView inner;
  if (auto fields = read_tbs(tbs->content, certificate, inner); !fields) return fields;
  // The outer field is not signed: it may say nothing that the signed one does not say.
  if (as_text(inner) != as_text(certificate.signature_algorithm)) {
    return fail(CertificateError::kAlgorithmMismatch,
                "the signed and the unsigned signature algorithm differ");
  }
  return {};
}

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

Result<Certificate> parse_certificate(ByteView encoded, std::string_view which) {
  std::string prefix = std::string(which) + ": ";
  if (encoded.size() > kMaxCertificateBytes) {
    return fail(CertificateError::kTooLarge, prefix + std::to_string(encoded.size()) + " bytes");
  }
  Certificate certificate;
  auto read = read_certificate(encoded, certificate);
  if (read) return certificate;
  const Error& error = read.error();
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

std::optional<bool> is_ca(const Certificate& certificate) {
  const Extension* extension = certificate.find(kBasicConstraints);
  if (extension == nullptr) return std::nullopt;
  auto outer = der::parse(extension->value, der::kSequence);
  if (!outer) return std::nullopt;
  auto flag = der::Reader(outer->content).read_optional(der::kBoolean);
  if (!flag) return std::nullopt;
  if (!*flag) return false;
  auto value = der::decode_boolean((*flag)->content, /*any_true=*/true);
  if (!value) return std::nullopt;
  return *value;
}

}  // namespace touchmark::pki
