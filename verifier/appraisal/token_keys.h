// What tokens are signed with: sets of keys by name, of which one key each signs, and each of which
// has a decoy's beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/jose.h"
#include "crypto/signing_key.h"

namespace touchmark::verifier::appraisal {

// A key goes through these in this order: API servers know it before it signs, and know it as long
// as its tokens are in use.
enum class TokenKeyState { kNext, kSigning, kOld };
std::string_view to_string(TokenKeyState state);
std::optional<TokenKeyState> parse_token_key_state(std::string_view text);

struct HmacPair {
  Bytes secret;  // 32 bytes
  Bytes decoy;   // derived from it (protocol/decoy.h)
};
struct SigningPair {
  crypto::SigningKey key;
  crypto::SigningKey decoy;
};

// Immutable.
class TokenKey {
 public:
  // `kid`: empty for the first key of an account, whose tokens have none.
  static TokenKey of_secret(std::string kid, Bytes secret);
  static TokenKey of_pair(std::string kid, SigningPair pair);
  // HS256, or an algorithm of crypto::SigningAlgorithm.
  static TokenKey make(std::string kid, const std::optional<crypto::SigningAlgorithm>& algorithm,
                       Bytes secret_if_hs256);

  TokenKeyState state = TokenKeyState::kSigning;
  UnixTime made{};
  std::string actor;  // who made it

  const std::string& kid() const { return kid_; }
  std::string_view algorithm() const;  // as in `alg`
  const HmacPair* secrets() const { return std::get_if<HmacPair>(&material_); }
  const SigningPair* pair() const { return std::get_if<SigningPair>(&material_); }

  // The compact JWS of a payload that is JSON text, with the header alg, kid and typ "JWT". One
  // path for both: `valid` chooses between two keys of the same kind, and nothing else.
  std::string sign(bool valid, std::string_view payload) const;
  // Whether the key (`valid`), or its decoy's, signed it.
  bool signed_by(bool valid, const crypto::Jws& jws) const;

 private:
  TokenKey(std::string kid, std::variant<HmacPair, SigningPair> material);

  std::string kid_;
  std::variant<HmacPair, SigningPair> material_;
  std::string header_;  // base64url
};

struct TokenKeySet {
  std::string name;
  std::vector<TokenKey> keys;

  const TokenKey* in_state(TokenKeyState state) const;
};

// A token that an operator made for a server of theirs. Its private key is gone: the public one is
// what makes it count, and taking that out of the JWKS ends it.
struct LongLivedToken {
  std::string name;
  std::string kid;
  crypto::SigningKey key;  // only verifies
  UnixTime made{};
  UnixTime expires{};
  std::string actor;
};

struct TokenKeys {
  std::vector<TokenKeySet> sets;  // the first is the default one
  std::vector<LongLivedToken> long_lived;

  static constexpr std::string_view kDefault = "default";
  const TokenKeySet* find(std::string_view name) const;
  // Of set `name`, or of the default one where there is none of that name.
  const TokenKey& signing(std::string_view name) const;
  // RFC 7517: of every public key that may have signed a token that still counts.
  Json jwks(UnixTime now) const;
};

// With one secret and no kid.
TokenKeys keys_of_secret(Bytes secret);

}  // namespace touchmark::verifier::appraisal
