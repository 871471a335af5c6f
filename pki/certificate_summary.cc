#include "pki/certificate_summary.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/openssl.h"
#include "pki/certificate.h"

namespace touchmark::pki {
namespace {

constexpr int kMaxSubject = 512;

using RequestOwned = openssl::Owned<X509_REQ, X509_REQ_free>;

std::string name_text(const X509_NAME* name) {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  openssl::require(bio != nullptr, "memory BIO");
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
  return std::string(as_text(openssl::bytes_of(bio)));
}

// A bare key in DER: public, or private in the forms that OpenSSL finds by itself.
openssl::Pkey der_key(ByteView file) {
  openssl::Pkey key(openssl::decode<d2i_PUBKEY>(file));
  if (!key) {
    const unsigned char* at = uchars(file);
    key.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(file.size())));
  }
  ERR_clear_error();
  return key;
}

RequestOwned read_request(ByteView file) {
  RequestOwned request(PEM_read_bio_X509_REQ(openssl::memory_bio(file).get(), nullptr,
                                             openssl::no_passphrase, nullptr));
  if (!request) request.reset(openssl::decode<d2i_X509_REQ>(file));
  ERR_clear_error();
  return request;
}

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
  CertificateSummary summary{name_text(X509_get_subject_name(certificate.get())), {}};
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

std::optional<FileKey> key_of_file(ByteView file) {
  if (const auto certificate = first_certificate(file)) {
    auto summary = summarize_certificate(*certificate);
    if (!summary) return std::nullopt;
    return FileKey{std::move(summary->subject), std::move(summary->spki)};
  }
  if (auto spki = first_pem_key(as_text(file))) return FileKey{{}, std::move(*spki)};
  if (const RequestOwned request = read_request(file)) {
    FileKey out{name_text(X509_REQ_get_subject_name(request.get())), {}};
    EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
    if (key != nullptr) out.spki = openssl::encode<i2d_PUBKEY>(key);
    ERR_clear_error();
    return out;
  }
  if (const openssl::Pkey key = der_key(file)) {
    return FileKey{{}, openssl::encode<i2d_PUBKEY>(key.get())};
  }
  return std::nullopt;
}

}  // namespace touchmark::pki
