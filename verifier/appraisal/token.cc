#include "verifier/appraisal/token.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "crypto/jose.h"
#include "protocol/decoy.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr auto kExtraClaims = std::to_array<std::string_view>(
    {"iss", "aud", "sub", "iat", "jti", "arc", "anno", "ipk", "lvl", "ear"});

// `a` when `first`, else `b`, without a branch; both have the same length.
Bytes select(bool first, ByteView a, ByteView b) {
  const auto mask = static_cast<std::byte>(-static_cast<int>(first) & 0xFF);
  Bytes out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (a[i] & mask) | (b[i] & ~mask);
  return out;
}

}  // namespace

bool is_extra_claim(std::string_view name) {
  return std::ranges::find(kExtraClaims, name) != kExtraClaims.end();
}

TokenMint::TokenMint(Bytes secret, TokenSettings settings)
    : secret_(std::move(secret)),
      decoy_secret_(protocol::derive_decoy_secret(secret_)),
      settings_(std::move(settings)) {}

Json TokenMint::claims(const TokenFacts& facts, UnixTime now, Random& random) const {
  Json out{{"did", facts.device_id}, {"exp", to_unix(now + settings_.lifetime)}, {"ip", facts.ip}};
  if (facts.pay) out["pay"] = *facts.pay;
  for (const std::string& name : settings_.extra_claims) {
    if (name == "iss") out["iss"] = settings_.issuer;
    if (name == "aud") out["aud"] = settings_.audience;
    if (name == "sub") out["sub"] = facts.device_id;
    if (name == "iat") out["iat"] = to_unix(now);
    if (name == "jti") out["jti"] = base64url_encode(random.bytes(16));
    if (name == "arc") out["arc"] = facts.arc;
    if (name == "anno") out["anno"] = facts.annotations;
    if (name == "lvl") out["lvl"] = facts.level;
    if (name == "ear") out["ear"] = facts.ear;
    if (name == "ipk") out["ipk"] = base64_encode(facts.installation_key);
  }
  return out;
}

std::string TokenMint::mint(bool valid, const TokenFacts& facts, UnixTime now,
                            Random& random) const {
  return crypto::sign_hs256(claims(facts, now, random), select(valid, secret_, decoy_secret_));
}

TokenReport TokenMint::check(std::string_view token, UnixTime now) const {
  return protocol::check_token(token, secret_, decoy_secret_, now);
}

}  // namespace touchmark::verifier::appraisal
