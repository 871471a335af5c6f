// Certificates that apps are signed with, from what a developer has at hand.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::cli::service {

// DER, from a certificate file (PEM or DER) or from a package, whose signatures must verify: then
// one for each of its signers. kUnreadableFile, kBadCertificate, or the
// reader's error.
Result<std::vector<Bytes>> signing_certificates(const std::string& path);

}  // namespace touchmark::cli::service
