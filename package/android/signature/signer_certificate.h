// An X.509 certificate of a signer. APK signers' certificates are self-signed names for keys:
// nothing is asked of their dates, issuers or signatures (as on the platform); their bytes are the
// identity.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "pki/public_key.h"

namespace touchmark::package::signature {

struct SignerCertificate {
  Bytes der;  // as it stands in the package
  // The DER SubjectPublicKeyInfo, as the platform gives it back.
  Bytes public_key_der;
  std::optional<pki::PublicKey> public_key;  // nothing when of a kind that cannot be used

  // What JAR signatures look at besides.
  Bytes issuer;  // DER Name
  Bytes serial;  // contents of the INTEGER
  bool unknown_critical_extension = false;
  bool usage_allows_signing = true;  // no keyUsage, or one with digitalSignature or nonRepudiation

  bool operator==(const SignerCertificate& other) const { return der == other.der; }
};

// As Android reads it; nothing when the bytes do not begin with a certificate, or with one that
// contradicts itself.
std::optional<SignerCertificate> read_signer_certificate(ByteView der);

}  // namespace touchmark::package::signature
