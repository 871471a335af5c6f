// Pins: the padded base64 of the SHA-256 of a DER SubjectPublicKeyInfo, as RFC 7469 defines them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "pki/certificate_summary.h"

namespace touchmark::cli::service {

// Checks a pin typed by a user; takes "sha256/..." and "sha256//..." (other tools' spellings) as
// well.
Result<std::string> parse_pin(std::string_view text);

// What one server or file says about itself.
struct ServedCertificate {
  std::string pin;
  std::string subject;  // "CN=api.example.com"; empty for a bare key
  std::string
      trust_problem;  // why the system would not trust it; empty when it would, or for a file
  // Of what a server showed:
  std::optional<UnixTime> not_after{};
  std::optional<UnixTime> not_before{};
  std::string address{};  // that answered, "192.0.2.1:443"; "[2001:db8::1]:443"
};

std::string pin_of(ByteView spki);
ServedCertificate served_certificate(const pki::CertificateSummary& summary);

// The pin of a file, PEM or DER: of the first certificate of a chain (the leaf), of a certificate
// request, or of a private or public key of any type.
Result<ServedCertificate> certificate_from_file(const std::filesystem::path& path);
// The same of PEM, without requests.
Result<ServedCertificate> certificate_from_pem(std::string_view pem, const std::string& what);

// Connects to "host" or "host:port" (443) and reads the certificate it serves. The handshake goes
// on whatever the certificate is; `trust_problem` tells what the system thinks of it. `address`:
// the IP address to connect to, in place of what the name resolves to; empty: that.
// kNoLiveCertificate.
// Thread-safe.
Result<ServedCertificate> certificate_of_server(const std::string& domain, int timeout_seconds,
                                                const std::string& address = {});

}  // namespace touchmark::cli::service
