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

void add_original_certificate_option(line::Command& command, std::string& file) {
  command
      .add_option("--original-certificate", file,
                  "Where the signing key was rotated: the certificate (PEM, DER, or in a package) "
                  "that the rotation began with, which is what phones attest")
      ->type_name("FILE")
      ->default_text("what a package given as the signing certificate proves");
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
    for (const Bytes& certificate : certificates->signers) {
      out.push_back(crypto::sha256(certificate));
    }
  }
  return out;
}

Result<package::MeasureOptions> measure_options(const FormOptions& options) {
  auto signers = signer_digests(options.signing_certificates);
  if (!signers) return pass(signers);
  package::MeasureOptions out;
  out.bundle_signers = *std::move(signers);
  if (!options.original_certificate.empty()) {
    const auto first = service::first_certificate(options.original_certificate);
    if (!first) return pass(first);
    out.bundle_first_signer = crypto::sha256(*first);
  } else if (options.signing_certificates.size() == 1) {
    const auto certificates = service::signing_certificates(options.signing_certificates.front());
    if (!certificates) return pass(certificates);
    if (certificates->first) out.bundle_first_signer = crypto::sha256(*certificates->first);
  }
  // A key that was never rotated began with itself.
  if (out.bundle_first_signer && out.bundle_signers == std::vector{*out.bundle_first_signer}) {
    out.bundle_first_signer.reset();
  }
  return out;
}

}  // namespace touchmark::cli::commands
