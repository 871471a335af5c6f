// The endorsers' roots. A root is trusted by its public key, not by one certificate of it: roots
// are re-issued and expire while devices that hold the old certificate live on.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "pki/public_key.h"

namespace touchmark::pki {

struct TrustRoot {
  Bytes spki;  // DER SubjectPublicKeyInfo
  PublicKey key;
  Bytes certificate = {};  // DER, as it was given; empty for those that are built in
};

class TrustRoots {
 public:
  // Google's two hardware attestation roots: RSA 4096 (since 2016) and EC P-384 (since 2025).
  static TrustRoots google();
  // "Apple App Attestation Root CA".
  static TrustRoots apple_app_attest();
  // "Apple Root CA - G3", under which App Attest's receipts are signed.
  static TrustRoots apple_receipts();
  // The keys of root certificates: PEM, a JSON array of PEM texts as Google publishes its own, or
  // the DER of one certificate as Apple publishes its own.
  // Errors: pem.*, json.*, certificate.*, signature.*.
  static Result<TrustRoots> parse(std::string_view text);
  // These and `more`.
  TrustRoots with(const TrustRoots& more) const;

  // nullptr when the key is not one of the roots.
  const TrustRoot* find(ByteView spki) const;
  const std::vector<TrustRoot>& all() const { return roots_; }

 private:
  explicit TrustRoots(std::vector<TrustRoot> roots) : roots_(std::move(roots)) {}
  std::vector<TrustRoot> roots_;
};

}  // namespace touchmark::pki
