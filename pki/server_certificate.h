// X.509 certificates as far as the service needs them for its own TLS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "crypto/ec_key.h"

namespace touchmark::pki {

enum class ServerCertificateError {
  kMalformed,    // not a PEM certificate
  kBadKey,       // not a PEM private key
  kKeyMismatch,  // the private key is not the certificate's
  kBadHost,      // a host that no certificate can name
};
std::string_view error_id(ServerCertificateError error);

// A self-signed server certificate (PEM) for `hosts`: DNS names and IP addresses.
Result<std::string> make_self_signed(const crypto::EcKey& key,
                                     const std::vector<std::string>& hosts, UnixTime not_before,
                                     UnixTime not_after, Random& random);

// Of the first certificate in `pem`.
struct CertificateFacts {
  Sha256Digest spki_sha256{};  // of the DER SubjectPublicKeyInfo
  UnixTime not_after{};
};
Result<CertificateFacts> read_certificate(std::string_view pem);
// Whether the first certificate in `pem` names `host`.
bool names_host(std::string_view pem, const std::string& host);
// Checks that `key_pem` is the private key of the first certificate.
Result<void> check_key_pair(std::string_view certificate_pem, std::string_view key_pem);

}  // namespace touchmark::pki
