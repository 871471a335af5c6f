// What the service remembers of App Attest keys: a counter that only rises, the one installation
// key that each vouches for, and what the attestation said, for assertions that come without it.
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

// What became of an assertion.
enum class AppAttestUse {
  kTaken,
  kReplayed,  // its counter is not above the last one taken
  kOtherKey,  // the App Attest key vouches for another installation key, or is unknown
};

// Thread-safe. Keys are named by their id: SHA-256 of the key's point. `installation`: SHA-256 of
// the installation key's DER SubjectPublicKeyInfo. The first one that an App Attest key vouches for
// is the only one: a phone that can be made to sign would otherwise vouch for any number of them.
class AppAttestKeys {
 public:
  virtual ~AppAttestKeys() = default;
  virtual Result<std::optional<AppAttestKey>> app_attest_key(const Sha256Digest& key_id) = 0;
  // Keeps what a verified attestation of `installation` said. The counter of a new key is 0; a
  // known key stays as it is. False when it vouches for another installation key.
  virtual Result<bool> add_app_attest_key(const Sha256Digest& key_id, const AppAttestKey& key,
                                          const Sha256Digest& installation) = 0;
  // Takes the counter of a verified assertion over `installation`, when it is above the last one
  // taken, and binds a key that is not bound yet (one of before there were bindings). On disk
  // before it returns. One step, so that of two replicas only one takes the counter, or the key.
  virtual Result<AppAttestUse> use_app_attest_key(const Sha256Digest& key_id,
                                                  const Sha256Digest& installation,
                                                  std::uint32_t counter) = 0;
};

}  // namespace touchmark::verifier::model
