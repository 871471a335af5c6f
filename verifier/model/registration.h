// What operators register: releases of apps, and the certificates that apps are signed with.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "package/model/measurement.h"
#include "verifier/model/expiry.h"

namespace touchmark::verifier::model {

struct Registration {
  std::string id;  // hex of the first 8 bytes of the measurement digest
  package::Measurement measurement;
  UnixTime created{};
  std::optional<UnixTime> expires;
  std::string created_by;  // name of the operator token
};

// A certificate that apps are signed with. An app that it signs counts without being registered
// itself, as far as the policy lets it.
struct SigningCertificate {
  std::string id;         // "cert-" and 16 hex digits, of certificate and package
  Sha256Digest sha256{};  // of the DER
  std::string subject;    // "CN=Example", for people
  std::string package;    // the one app that it counts for; empty: every app
  bool development = false;
  UnixTime created{};
  std::optional<UnixTime> expires;
  std::string created_by;
  // Where the signing key was rotated to this one: SHA-256 of the certificate that the rotation
  // began with, which is what Android's key attestation names.
  std::optional<Sha256Digest> first = {};
};

}  // namespace touchmark::verifier::model
