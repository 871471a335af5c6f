#include "cli/service/pin.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/x509_facts.h"
#include "crypto/crypto.h"
#include "crypto/openssl.h"

namespace touchmark::cli::service {
namespace {

constexpr std::size_t kMaxPemBytes = 1U << 20;

// Never asks on the terminal: a key behind a passphrase is not read.
int no_passphrase(char*, int, int, void*) { return 0; }

openssl::Bio pem_bio(std::string_view pem) {
  openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  openssl::require(bio != nullptr, "BIO_new_mem_buf");
  return bio;
}

}  // namespace

std::string pin_of_key(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  openssl::require(length > 0, "i2d_PUBKEY");
  const std::span<const unsigned char> spki(der, static_cast<std::size_t>(length));
  std::string pin = base64_encode(crypto::sha256(std::as_bytes(spki)));
  OPENSSL_free(der);
  return pin;
}

std::string subject_of(const X509* certificate) {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  openssl::require(bio != nullptr, "BIO_new");
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return io::printable({data, static_cast<std::size_t>(length)});
}

Result<std::string> parse_pin(std::string_view text) {
  std::string_view pin = io::trim(text);
  for (const std::string_view prefix : {"sha256//", "sha256/"}) {
    if (pin.starts_with(prefix)) {
      pin.remove_prefix(prefix.size());
      break;
    }
  }
  const auto bytes = base64_decode(pin);
  if (!bytes || bytes->size() != Sha256Digest().size()) {
    return fail(io::CliError::kBadPin, fmt::format("'{}' is not a pin", text));
  }
  return std::string(pin);
}

Result<Certificate> certificate_from_file(const std::filesystem::path& path) {
  auto pem = read_file(path, kMaxPemBytes);
  if (!pem) return pass(pem);
  return certificate_from_pem(as_text(*pem), path.string());
}

Result<Certificate> certificate_from_pem(std::string_view pem, const std::string& what) {
  const openssl::Owned<X509, X509_free> certificate(
      PEM_read_bio_X509(pem_bio(pem).get(), nullptr, no_passphrase, nullptr));
  if (certificate) {
    if (EVP_PKEY* key = X509_get0_pubkey(certificate.get())) {
      return Certificate{pin_of_key(key), subject_of(certificate.get()), {}};
    }
    return fail(io::CliError::kBadCertificate,
                fmt::format("{}: the certificate's key is of an unknown kind", what));
  }
  openssl::Pkey key(PEM_read_bio_PUBKEY(pem_bio(pem).get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    key.reset(PEM_read_bio_PrivateKey(pem_bio(pem).get(), nullptr, no_passphrase, nullptr));
  }
  ERR_clear_error();
  if (!key) {
    return fail(io::CliError::kBadCertificate,
                fmt::format("{} holds no PEM certificate and no PEM key that can be read", what));
  }
  return Certificate{pin_of_key(key.get()), {}, {}};
}

}  // namespace touchmark::cli::service
