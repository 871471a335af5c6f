#include "cli/service/pin.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "crypto/digest.h"

namespace touchmark::cli::service {
namespace {

constexpr std::size_t kMaxPemBytes = 1U << 20;

}  // namespace

ServedCertificate served_certificate(const pki::CertificateSummary& summary) {
  return {pin_of(summary.spki), io::printable(summary.subject), {}};
}

std::string pin_of(ByteView spki) { return base64_encode(crypto::sha256(spki)); }

Result<std::string> parse_pin(std::string_view text) {
  std::string_view pin = io::trim(text);
  for (const std::string_view prefix : {"sha256//", "sha256/"}) {
    if (pin.starts_with(prefix)) {
      pin.remove_prefix(prefix.size());
      break;
    }
  }
  if (!base64_digest(pin)) {
    return fail(io::CliError::kBadPin, fmt::format("'{}' is not a pin", text));
  }
  return std::string(pin);
}

Result<ServedCertificate> certificate_from_file(const std::filesystem::path& path) {
  auto file = read_file(path, kMaxPemBytes);
  if (!file) return pass(file);
  const auto key = pki::key_of_file(*file);
  if (key && !key->spki.empty()) {
    return ServedCertificate{pin_of(key->spki), io::printable(key->subject), {}};
  }
  return fail(io::CliError::kBadCertificate,
              path.string() + (key ? ": the key is of an unknown kind"
                                   : " holds no certificate, request or key that can be read "
                                     "without a passphrase"));
}

Result<ServedCertificate> certificate_from_pem(std::string_view pem, const std::string& what) {
  if (const auto der = pki::first_pem_certificate(pem)) {
    const auto summary = pki::summarize_certificate(*der);
    if (summary && !summary->spki.empty()) return served_certificate(*summary);
    return fail(io::CliError::kBadCertificate,
                fmt::format("{}: the certificate's key is of an unknown kind", what));
  }
  const auto spki = pki::first_pem_key(pem);
  if (!spki) {
    return fail(io::CliError::kBadCertificate,
                fmt::format("{} holds no PEM certificate and no PEM key that can be read", what));
  }
  return ServedCertificate{pin_of(*spki), {}, {}};
}

}  // namespace touchmark::cli::service
