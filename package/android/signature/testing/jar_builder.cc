#include "package/android/signature/testing/jar_builder.h"

#include <openssl/objects.h>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"
#include "formats/testing/der_writer.h"
#include "package/android/signature/jar_algorithm.h"

namespace touchmark::package::testing {
namespace {

namespace der = touchmark::testing;

Bytes algorithm(const std::string& oid) { return der::sequence({oid_value(oid), der::null()}); }

Bytes issuer_of(const Bytes& certificate) {
  const unsigned char* at = uchars(certificate);
  const openssl::Owned<X509, X509_free> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.size())));
  unsigned char* name = nullptr;
  const int size = i2d_X509_NAME(X509_get_issuer_name(parsed.get()), &name);
  openssl::require(size > 0, "issuer");
  Bytes out = to_bytes(std::as_bytes(std::span(name, static_cast<std::size_t>(size))));
  OPENSSL_free(name);
  return out;
}

std::uint64_t serial_of(const Bytes& certificate) {
  const unsigned char* at = uchars(certificate);
  const openssl::Owned<X509, X509_free> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.size())));
  return static_cast<std::uint64_t>(ASN1_INTEGER_get(X509_get0_serialNumber(parsed.get())));
}

Bytes implicit(std::uint32_t number, const std::vector<Bytes>& parts) {
  Bytes content;
  for (const Bytes& part : parts) append(content, part);
  return der::element(touchmark::der::context(number), content);
}

// ECDSA by the digest that the block names.
Bytes sign_with(const JarBlockSpec& spec, const Bytes& data) {
  const auto scheme = signature::jar_signature_scheme(spec.digest_oid, spec.signature_oid);
  const bool sha512 = scheme && scheme->digest == crypto::DigestAlgorithm::kSha512;
  const bool rsa = EVP_PKEY_get_base_id(spec.by->key.get()) == EVP_PKEY_RSA;
  return spec.by->sign(data, (rsa ? 0x0103u : 0x0201u) + (sha512 ? 1 : 0));
}

Bytes encode_signer(const JarBlockSpec& spec, const Bytes& signed_file) {
  const std::uint64_t serial =
      spec.serial ? static_cast<std::uint64_t>(*spec.serial) : serial_of(spec.by->certificate);
  Bytes to_sign = signed_file;
  Bytes attributes;
  if (spec.signed_attributes) {
    attributes = implicit(0, *spec.signed_attributes);
    to_sign = attributes;
    to_sign[0] = std::byte{0x31};
  }
  Bytes signature = sign_with(spec, to_sign);
  if (spec.edit_signature) spec.edit_signature(signature);
  return der::sequence({der::number(1),
                        der::sequence({issuer_of(spec.by->certificate), der::number(serial)}),
                        algorithm(spec.digest_oid), attributes, algorithm(spec.signature_oid),
                        der::octets(signature)});
}

std::string section(const std::string& name, const std::string& digest) {
  return "Name: " + name + "\r\nSHA-256-Digest: " + digest + "\r\n\r\n";
}

}  // namespace

Bytes oid_value(const std::string& oid) {
  const openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(oid.c_str(), 1));
  unsigned char* out = nullptr;
  const int size = i2d_ASN1_OBJECT(object.get(), &out);
  openssl::require(size > 0, "object identifier");
  Bytes encoded = to_bytes(std::as_bytes(std::span(out, static_cast<std::size_t>(size))));
  OPENSSL_free(out);
  return encoded;
}

Bytes octet_value(const Bytes& content) { return der::octets(ByteView(content)); }

Bytes jar_attribute(const std::string& oid, const std::vector<Bytes>& values) {
  Bytes content;
  for (const Bytes& value : values) append(content, value);
  return der::sequence({oid_value(oid), der::element(touchmark::der::kSet, content)});
}

Bytes encode_jar_block(const JarBlockSpec& spec, const Bytes& signed_file) {
  Bytes signers;
  for (int i = 0; i < spec.signers; ++i) append(signers, encode_signer(spec, signed_file));
  const auto certificates = spec.certificates.value_or(std::vector<Bytes>{spec.by->certificate});
  const Bytes data =
      der::sequence({der::number(1), der::set({algorithm(spec.digest_oid)}),
                     der::sequence({oid_value("1.2.840.113549.1.7.1")}), implicit(0, certificates),
                     der::element(touchmark::der::kSet, signers)});
  return der::sequence({oid_value("1.2.840.113549.1.7.2"), der::explicit_tag(0, data)});
}

std::string digest_text(const std::string& content) {
  return base64_encode(crypto::digest(crypto::DigestAlgorithm::kSha256, as_bytes(content)));
}

ZipFile jar_signed(const JarSpec& spec) {
  ZipFile zip;
  std::string manifest = "Manifest-Version: 1.0\r\nCreated-By: test\r\n\r\n";
  const std::string main_section = manifest;
  std::string sections;
  for (const auto& [name, content] : spec.entries) {
    zip.entries.push_back(stored(name, content));
    const std::string text = section(name, digest_text(content));
    manifest += text;
    sections += section(name, digest_text(text));
  }
  if (spec.edit_manifest) spec.edit_manifest(manifest);
  std::string file = "Signature-Version: 1.0\r\n" + spec.signature_file_extra +
                     "SHA-256-Digest-Manifest: " + digest_text(manifest) +
                     "\r\nSHA-256-Digest-Manifest-Main-Attributes: " + digest_text(main_section) +
                     "\r\n\r\n" + sections;
  if (spec.edit_signature_file) spec.edit_signature_file(file);
  zip.entries.push_back(stored("META-INF/MANIFEST.MF", manifest));
  for (std::size_t i = 0; i < spec.signers.size(); ++i) {
    const std::string name = "META-INF/S" + std::to_string(i);
    zip.entries.push_back(stored(name + ".SF", file));
    const Bytes block = encode_jar_block(spec.signers[i], to_bytes(file));
    zip.entries.push_back(stored(name + ".EC", as_text(block)));
  }
  for (const auto& [name, content] : spec.extra_files) {
    zip.entries.push_back(stored(name, content));
  }
  return zip;
}

}  // namespace touchmark::package::testing
