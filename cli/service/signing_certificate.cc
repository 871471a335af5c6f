#include "cli/service/signing_certificate.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/io/error.h"
#include "package/inspection.h"
#include "pki/certificate_summary.h"

namespace touchmark::cli::service {
namespace {

constexpr std::size_t kMaxCertificateFile = std::size_t{1} << 20;

bool is_archive(const Source& source) {
  Bytes start(2);
  return source.size() > start.size() && source.read_at(0, start) && as_text(start) == "PK";
}

Result<SigningCertificates> signers_of(const Source& source, const std::string& path) {
  auto report = package::verify(source);
  if (!report) {
    const Error& error = report.error();
    return tl::unexpected(error.reworded(fmt::format("{}: {}", path, error.message())));
  }
  SigningCertificates out;
  for (package::signature::SignerInfo& signer : report->signers)
    out.signers.push_back(std::move(signer.certificate));
  if (report->lineage.size() > 1) out.first = std::move(report->lineage.front().certificate);
  return out;
}

}  // namespace

Result<SigningCertificates> signing_certificates(const std::string& path) {
  const auto source = open_file(path);
  if (!source)
    return fail(io::CliError::kUnreadableFile, "cannot read " + source.error().message());
  if (is_archive(**source)) return signers_of(**source, path);
  const auto file = read_file(path, kMaxCertificateFile);
  if (!file) return pass(file);
  auto certificate = pki::first_certificate(*file);
  if (!certificate) {
    return fail(io::CliError::kBadCertificate,
                path + " holds no certificate (PEM or DER), and is no package");
  }
  return SigningCertificates{{*std::move(certificate)}, std::nullopt};
}

Result<Bytes> first_certificate(const std::string& path) {
  auto certificates = signing_certificates(path);
  if (!certificates) return pass(certificates);
  if (certificates->first) return *std::move(certificates->first);
  if (certificates->signers.size() != 1) {
    return fail(io::CliError::kBadCertificate,
                path + " has several signers, and a key of several cannot be rotated");
  }
  return std::move(certificates->signers.front());
}

}  // namespace touchmark::cli::service
