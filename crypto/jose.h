// Compact JWS (RFC 7515) with the algorithm fixed by the caller. The header's `alg` is compared
// with what the caller asked for and never chooses anything. `crit` is refused; `typ` is checked
// when given.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_document.h"
#include "crypto/crypto.h"

namespace touchmark::crypto {

enum class JoseError {
  kMalformed,       // not three base64url parts, or a header that is not a JSON object
  kTooLarge,        // over the given bound
  kWrongAlg,        // header alg is not the fixed one
  kWrongType,       // header typ is not the expected one
  kUnknownCrit,     // header has `crit`
  kBadSignature,    // signature does not verify
  kPayloadNotJson,  // the signature verifies, but the payload is not a JSON object
  kBadKey,          // a JWK that is not an EC P-256 public key for ES256 signatures
};
std::string_view error_id(JoseError error);

struct Jws {
  Json header;
  Json payload;
  std::string signing_input;  // "header.payload" as received
  Bytes signature;
};

inline constexpr std::size_t kMaxJwsBytes = 256 * 1024;

// Splits and decodes; verifies nothing. For inspection, or to read a key that is then verified
// with.
Result<Jws> parse_jws(std::string_view compact, std::size_t max_bytes = kMaxJwsBytes);

// `header` members are added to alg and typ.
std::string sign_hs256(const Json& payload, ByteView secret, const Json& header = {{"typ", "JWT"}});
std::string sign_es256(const Json& payload, const EcKey& key, const Json& header);

// `typ`: the required typ, or empty for any.
Result<Jws> verify_hs256(std::string_view compact, ByteView secret, std::string_view typ = "");
Result<Jws> verify_es256(std::string_view compact, const EcKey& key, std::string_view typ = "",
                         std::size_t max_bytes = kMaxJwsBytes);
// As verify_es256, with the key in the header's `jwk` (self-signed: proves possession only).
struct SelfSignedJws {
  JsonDocument payload;
  EcKey key;
};
Result<SelfSignedJws> verify_es256_with_header_key(std::string_view compact, std::string_view typ,
                                                   std::size_t max_bytes = kMaxJwsBytes);

Json to_jwk(const EcKey& key);  // public members only: kty, crv, x, y
// Takes a JWK (RFC 7517) of kty EC and crv P-256; `alg`, `use` and `key_ops`, when present, must
// allow the verification of ES256 signatures.
Result<EcKey> from_jwk(const Json& jwk);
Result<EcKey> from_jwk(JsonView jwk);

}  // namespace touchmark::crypto
