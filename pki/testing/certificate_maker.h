// Makes X.509 certificates for tests, with OpenSSL: chains that no phone has made, good and forged.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/openssl.h"
#include "crypto/openssl_time.h"

namespace touchmark::testing {

using NameFields = std::vector<std::pair<std::string, std::string>>;  // {"O", "Google LLC"}

// A key pair, shared so that specs can be copied.
class TestKey {
 public:
  explicit TestKey(const char* curve = "P-256") : key_(EVP_EC_gen(curve), EVP_PKEY_free) {}
  static TestKey rsa(unsigned bits) { return TestKey(EVP_RSA_gen(bits)); }
  // "ED25519", "X25519"
  static TestKey of_type(const char* type) {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, type));
  }
  EVP_PKEY* get() const { return key_.get(); }

 private:
  explicit TestKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {}
  std::shared_ptr<EVP_PKEY> key_;
};

struct CertificateSpec {
  NameFields subject{};
  NameFields issuer{};
  long serial = 1;
  UnixTime not_before = from_unix(1577836800);              // 2020
  UnixTime not_after = from_unix(1893456000);               // 2030
  std::optional<bool> ca = true;                            // nullopt: no basicConstraints
  std::vector<std::pair<std::string, Bytes>> extensions{};  // dotted identifier, content
  const EVP_MD* digest = EVP_sha256();
};

inline X509_NAME* make_name(const NameFields& fields) {
  X509_NAME* name = X509_NAME_new();
  for (const auto& [type, value] : fields) {
    openssl::require(
        X509_NAME_add_entry_by_txt(name, type.c_str(), MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) == 1,
        "name");
  }
  return name;
}

inline void add_extension(X509* certificate, const char* oid, bool critical, ByteView content) {
  openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(oid, 1));
  openssl::Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> data(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(data.get(), uchars(content), static_cast<int>(content.size()));
  openssl::Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), critical ? 1 : 0, data.get()));
  openssl::require(X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

// The certificate of `key`, signed by `issuer_key`; DER.
inline Bytes make_certificate(const CertificateSpec& spec, const TestKey& key,
                              const TestKey& issuer_key) {
  openssl::Owned<X509, X509_free> certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), spec.serial);
  openssl::set_time(X509_getm_notBefore(x), spec.not_before);
  openssl::set_time(X509_getm_notAfter(x), spec.not_after);
  openssl::Owned<X509_NAME, X509_NAME_free> subject(make_name(spec.subject));
  openssl::Owned<X509_NAME, X509_NAME_free> issuer(make_name(spec.issuer));
  X509_set_subject_name(x, subject.get());
  X509_set_issuer_name(x, issuer.get());
  X509_set_pubkey(x, key.get());
  if (spec.ca) {
    constexpr std::string_view kCa("\x30\x03\x01\x01\xff", 5);
    constexpr std::string_view kNoCa("\x30\x00", 2);
    add_extension(x, "2.5.29.19", true, as_bytes(*spec.ca ? kCa : kNoCa));
  }
  for (const auto& [oid, content] : spec.extensions) {
    add_extension(x, oid.c_str(), false, content);
  }
  openssl::require(X509_sign(x, issuer_key.get(), spec.digest) > 0, "signature");
  unsigned char* der = nullptr;
  int length = i2d_X509(x, &der);
  openssl::require(length > 0, "certificate");
  auto* begin = reinterpret_cast<const std::byte*>(der);
  Bytes out(begin, begin + length);
  OPENSSL_free(der);
  return out;
}

inline std::string to_pem(ByteView der) {
  openssl::Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio(bio.get(), PEM_STRING_X509, "", uchars(der), static_cast<long>(der.size()));
  char* data = nullptr;
  long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(length));
}

}  // namespace touchmark::testing
