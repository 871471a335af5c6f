#include "pki/certificate_summary.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/openssl.h"
#include "pki/certificate.h"

namespace touchmark::pki {
namespace {

constexpr int kMaxSubject = 512;

}  // namespace

Result<std::string> subject_text(ByteView der) {
  ByteView rest;
  const openssl::X509Owned certificate(openssl::decode<d2i_X509>(der, &rest));
  ERR_clear_error();
  if (!certificate || !rest.empty()) {
    return fail(CertificateError::kMalformed, "not an X.509 certificate in DER");
  }
  std::string text(kMaxSubject, '\0');
  X509_NAME_oneline(X509_get_subject_name(certificate.get()), text.data(), kMaxSubject);
  text.resize(text.find('\0'));
  return text;
}

std::optional<CertificateSummary> summarize_certificate(ByteView der) {
  const openssl::X509Owned certificate(openssl::decode<d2i_X509>(der));
  if (!certificate) {
    ERR_clear_error();
    return std::nullopt;
  }
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  openssl::require(bio != nullptr, "memory BIO");
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate.get()), 0,
                     XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
  CertificateSummary summary{std::string(as_text(openssl::bytes_of(bio))), {}};
  EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  if (key != nullptr) summary.spki = openssl::encode<i2d_PUBKEY>(key);
  ERR_clear_error();
  return summary;
}

std::optional<Bytes> first_pem_certificate(std::string_view pem) {
  const openssl::X509Owned certificate(PEM_read_bio_X509(openssl::memory_bio(as_bytes(pem)).get(),
                                                         nullptr, openssl::no_passphrase, nullptr));
  ERR_clear_error();
  if (!certificate) return std::nullopt;
  return openssl::encode<i2d_X509>(certificate.get());
}

std::optional<Bytes> first_certificate(ByteView file) {
  if (auto certificate = first_pem_certificate(as_text(file))) return certificate;
  const openssl::X509Owned certificate(openssl::decode<d2i_X509>(file));
  ERR_clear_error();
  if (!certificate) return std::nullopt;
  return openssl::encode<i2d_X509>(certificate.get());
}

std::optional<Bytes> first_pem_key(std::string_view pem) {
  const auto bio = [pem] { return openssl::memory_bio(as_bytes(pem)); };
  openssl::Pkey key(PEM_read_bio_PUBKEY(bio().get(), nullptr, openssl::no_passphrase, nullptr));
  if (!key) {
    key.reset(PEM_read_bio_PrivateKey(bio().get(), nullptr, openssl::no_passphrase, nullptr));
  }
  ERR_clear_error();
  if (!key) return std::nullopt;
  return openssl::encode<i2d_PUBKEY>(key.get());
}

}  // namespace touchmark::pki
