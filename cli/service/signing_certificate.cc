#include "cli/service/signing_certificate.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "cli/io/error.h"
#include "crypto/openssl.h"
#include "package/inspection.h"

namespace touchmark::cli::service {
namespace {

constexpr std::size_t kMaxCertificateFile = std::size_t{1} << 20;

// Never asks on the terminal: what stands behind a passphrase is no certificate.
int no_passphrase(char*, int, int, void*) { return 0; }

bool is_archive(const Source& source) {
  Bytes start(2);
  return source.size() > start.size() && source.read_at(0, start) && as_text(start) == "PK";
}

Result<std::vector<Bytes>> signers_of(const Source& source, const std::string& path) {
  auto report = package::verify(source);
  if (!report) {
    const Error& error = report.error();
    return tl::unexpected(error.reworded(fmt::format("{}: {}", path, error.message())));
  }
  std::vector<Bytes> out;
  for (package::signature::SignerInfo& signer : report->signers)
    out.push_back(std::move(signer.certificate));
  return out;
}

Result<Bytes> certificate_in(ByteView file, const std::string& path) {
  const openssl::Bio bio(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
  openssl::require(bio != nullptr, "BIO_new_mem_buf");
  openssl::Owned<X509, X509_free> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) {
    const auto* data = reinterpret_cast<const unsigned char*>(file.data());
    certificate.reset(d2i_X509(nullptr, &data, static_cast<long>(file.size())));
  }
  ERR_clear_error();
  if (!certificate) {
    return fail(io::CliError::kBadCertificate,
                path + " holds no certificate (PEM or DER), and is no package");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  openssl::require(size > 0, "i2d_X509");
  Bytes out = to_bytes(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return out;
}

}  // namespace

Result<std::vector<Bytes>> signing_certificates(const std::string& path) {
  const auto source = open_file(path);
  if (!source)
    return fail(io::CliError::kUnreadableFile, "cannot read " + source.error().message());
  if (is_archive(**source)) return signers_of(**source, path);
  const auto file = read_file(path, kMaxCertificateFile);
  if (!file) return pass(file);
  auto certificate = certificate_in(*file, path);
  if (!certificate) return pass(certificate);
  return std::vector<Bytes>{*std::move(certificate)};
}

}  // namespace touchmark::cli::service
