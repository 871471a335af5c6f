// The keys of its own TLS that the service remembers, so that it never takes another one unasked:
// apps in the field pin them, and a new key locks every one of them out.
#pragma once

#include <string>
#include <vector>

#include "verifier/store/store.h"

namespace touchmark::verifier::state {

// Pins are the padded base64 of the SHA-256 of a DER SubjectPublicKeyInfo. Empty: none is known.
struct KnownKeys {
  bool established = false;  // the database has an account: this is not the first start
  bool recorded = false;     // serving, backup and folder were noted, not inferred
  std::string serving;       // the key that clients were shown last; of a proxy's none is known
  std::string backup;        // the key in reserve
  std::string folder;        // the key in the data folder's tls-key.pem
  // What the signed configuration in force tells apps to accept.
  std::vector<std::string> announced;

  bool is_announced(const std::string& pin) const;
};

// A database from before the keys were noted gives what its configuration says: the service's own
// key first, then the backup. Fails with StoreError; what cannot be read counts as not known.
Result<KnownKeys> read_known_keys(store::Reader& reader);
// Notes serving, backup and folder.
Result<void> put_known_keys(store::Transaction& transaction, const KnownKeys& keys);
// Whether a release or a signing certificate is registered, so that apps may be in the field.
Result<bool> has_apps(store::Reader& reader);

}  // namespace touchmark::verifier::state
