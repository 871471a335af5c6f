// Certificates that apps are signed with, from what a developer has at hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::cli::service {

// DER.
struct SigningCertificates {
  std::vector<Bytes> signers;
  // Where a package proves that its signing key was rotated: the certificate that this began with.
  std::optional<Bytes> first;
};

// From a certificate file (PEM or DER) or from a package, whose signatures must verify: then one
// for each of its signers. kUnreadableFile, kBadCertificate, or the reader's error.
Result<SigningCertificates> signing_certificates(const std::string& path);

// The certificate that a rotation began with, of a file that holds one certificate or a package
// that proves its rotation. kBadCertificate for a package without one, or with several signers.
Result<Bytes> first_certificate(const std::string& path);

}  // namespace touchmark::cli::service
