// The keys that sign tokens: secrets of HS256, and public keys out of a JWKS (RFC 7517). Each key
// is for one algorithm, and a token's `alg` never makes it another's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "crypto/crypto.h"

namespace touchmark::relying {

enum class KeySetError {
  kNotJson,        // not a JSON object with an array `keys`
  kTooLarge,       // over 256 KiB, or over 64 keys
  kNothingUsable,  // no key in it is for a token
  kBadAddress,     // neither a path nor a URL that keys may come from
  kUnreachable,    // the source cannot be read, or answers with another status than 200
};
std::string_view error_id(KeySetError error);

enum class Algorithm : std::uint8_t { kHs256, kRs256, kEs256, kEdDsa };
std::optional<Algorithm> algorithm_named(std::string_view alg);

// A secret and the decoy secret that belongs to it. Immutable.
class Secret {
 public:
  // Without `decoy_secret` nothing is a decoy.
  Secret(std::optional<std::string> kid, ByteView secret, std::optional<ByteView> decoy_secret);

  const std::optional<std::string>& kid() const { return kid_; }
  // Whether `mac` is HMAC-SHA256 of `data` by the secret, or by the decoy secret.
  bool signed_it(ByteView data, ByteView mac) const;
  bool signed_as_decoy(ByteView data, ByteView mac) const;

 private:
  std::optional<std::string> kid_;
  crypto::HmacSha256Key key_;
  std::optional<crypto::HmacSha256Key> decoy_;
};

// Immutable; usable from many threads.
class PublicKey {
 public:
  // Of a member of a JWKS; nullopt for one that is for no token.
  static std::optional<PublicKey> from_jwk(const Json& jwk);

  Algorithm algorithm() const { return algorithm_; }
  const std::optional<std::string>& kid() const { return kid_; }
  bool signed_it(ByteView data, ByteView signature) const;

 private:
  using Other = std::shared_ptr<void>;  // EVP_PKEY, of RSA or Ed25519
  PublicKey(Algorithm algorithm, std::variant<crypto::EcKey, Other> key)
      : algorithm_(algorithm), key_(std::move(key)) {}

  Algorithm algorithm_;
  std::optional<std::string> kid_;
  std::variant<crypto::EcKey, Other> key_;
};

inline constexpr std::size_t kMaxKeySetBytes = 256 * 1024;
inline constexpr std::size_t kMaxKeysOfSet = 64;

using KeySet = std::vector<PublicKey>;
// The keys of a JWKS that are for tokens, one or more.
Result<KeySet> read_key_set(std::string_view json);

}  // namespace touchmark::relying
