#include "cli/commands/package/app_options.h"

#include "cli/service/signing_certificate.h"
#include "crypto/crypto.h"

namespace touchmark::cli::commands {

void add_signing_certificate_option(line::Command& command, std::vector<std::string>& files) {
  command
      .add_option(
          "--signing-certificate", files,
          "Of an app bundle: the certificate (PEM, DER, or in a package that it signed) with "
          "which the store signs what devices install")
      ->type_name("FILE");
}

void add_form_options(line::Command& command, FormOptions& options) {
  command
      .add_option(
          "FILE", options.files,
          "An APK, app bundle, IPA or archive of split APKs; or the APK files of a base and "
          "its splits")
      ->required();
  add_signing_certificate_option(command, options.signing_certificates);
}

Result<std::vector<Sha256Digest>> signer_digests(const std::vector<std::string>& files) {
  std::vector<Sha256Digest> out;
  for (const std::string& file : files) {
    const auto certificates = service::signing_certificates(file);
    if (!certificates) return pass(certificates);
    for (const Bytes& certificate : *certificates) out.push_back(crypto::sha256(certificate));
  }
  return out;
}

Result<package::MeasureOptions> measure_options(const FormOptions& options) {
  auto signers = signer_digests(options.signing_certificates);
  if (!signers) return pass(signers);
  package::MeasureOptions out;
  out.bundle_signers = *std::move(signers);
  return out;
}

}  // namespace touchmark::cli::commands
