// An X.509 certificate of a signer. APK signers' certificates are self-signed names for keys:
// nothing is asked of their dates, issuers or signatures (as on the platform); their bytes are the
// identity.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "package/android/signature/public_key.h"

namespace touchmark::package::signature {

struct Certificate {
  Bytes der;  // as it stands in the package
  // The DER SubjectPublicKeyInfo, as the platform gives it back: as it stands in the certificate,
  // save that an RSA modulus stored as a negative number is written as the positive one.
  Bytes public_key_der;
  std::optional<PublicKey> public_key;  // nothing when of a kind that cannot be used

  // What JAR signatures look at besides.
  Bytes issuer;  // DER Name
  Bytes serial;  // contents of the INTEGER
  bool unknown_critical_extension = false;
  bool usage_allows_signing = true;  // no keyUsage, or one with digitalSignature or nonRepudiation

  bool operator==(const Certificate& other) const { return der == other.der; }
};

// Nothing when the bytes do not begin with a certificate, or with one that contradicts itself.
std::optional<Certificate> parse_certificate(ByteView der);

// Whether the certificate has this issuer (encoded Name, compared as RFC 5280 section 7.1 says) and
// serial number (contents of an INTEGER).
bool is_issued_as(const Certificate& certificate, ByteView issuer, ByteView serial);

}  // namespace touchmark::package::signature
