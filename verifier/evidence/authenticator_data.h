// Authenticator data as App Attest uses it: the layout of WebAuthn (section 6.1), read by what
// stands there and not by the flags. Apple sets the AT flag in assertions that hold no credential,
// and since iOS 27 appends extensions without the ED flag.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/cbor.h"

namespace touchmark::verifier::evidence {

enum class AuthenticatorDataError {
  kTruncated,
  kMalformedKey,         // the credential's key is not a COSE key on P-256
  kMalformedExtensions,  // what follows is not CBOR
};
std::string_view error_id(AuthenticatorDataError error);

// How the running app was distributed: `apple_validation_category_01`, by the numbers of XNU's
// cs_blobs.h.
enum class ValidationCategory : std::uint32_t {
  kInvalid = 0,
  kPlatform = 1,
  kTestFlight = 2,
  kDevelopment = 3,
  kAppStore = 4,
  kEnterprise = 5,
  kDeveloperId = 6,
  kLocalSigning = 7,
  kRosetta = 8,
  kOopJit = 9,
  kNone = 10,
};
// "appStore"; "unknown" for a number that has no name yet.
std::string_view to_string(ValidationCategory category);

// Views point into the input.
struct AuthenticatorData {
  ByteView encoded;
  ByteView rp_id_hash;  // 32 bytes: SHA-256 of the app id
  std::uint8_t flags = 0;
  std::uint32_t sign_count = 0;

  // Of an attestation only.
  struct Credential {
    ByteView aaguid;   // 16 bytes: the environment
    ByteView id;       // 32 bytes: SHA-256 of the public key
    Bytes public_key;  // 04 || x || y
  };
  std::optional<Credential> credential;

  // Items of CBOR after all that, since iOS 27 one map.
  std::vector<cbor::Value> extensions;
  std::optional<ValidationCategory> validation_category;  // apple_validation_category_01
  std::optional<std::string> bundle_version;              // apple_bundle_version_01
};

// `with_credential`: true for an attestation, false for an assertion.
Result<AuthenticatorData> parse_authenticator_data(ByteView data, bool with_credential);

// The point 04 || x || y of a COSE_Key (RFC 9052 section 7) for ES256 on P-256.
Result<Bytes> read_cose_key(const cbor::Value& key);

Json to_json(const AuthenticatorData& data);

}  // namespace touchmark::verifier::evidence
