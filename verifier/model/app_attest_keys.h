// What the service remembers of App Attest keys: a counter that only rises, and what the
// attestation said, for assertions that come without it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::verifier::model {

struct AppAttestKey {
  Bytes spki;                                          // DER SubjectPublicKeyInfo
  bool production = false;                             // Apple's environment
  std::optional<std::uint32_t> validation_category{};  // of iOS 27 and later
  bool operator==(const AppAttestKey&) const = default;
};

// Thread-safe. Keys are named by their id: SHA-256 of the key's point.
class AppAttestKeys {
 public:
  virtual ~AppAttestKeys() = default;
  virtual Result<std::optional<AppAttestKey>> app_attest_key(const Sha256Digest& key_id) = 0;
  // Keeps what a verified attestation said. The counter of a new key is 0; a known key stays as it
  // is.
  virtual Result<void> add_app_attest_key(const Sha256Digest& key_id, const AppAttestKey& key) = 0;
  // Takes the counter of a verified assertion when it is above the last one taken, and is on disk
  // before it returns; false when it is not, or the key is unknown. One step, so that of two
  // replicas only one takes it.
  virtual Result<bool> advance_app_attest_counter(const Sha256Digest& key_id,
                                                  std::uint32_t counter) = 0;
};

}  // namespace touchmark::verifier::model
