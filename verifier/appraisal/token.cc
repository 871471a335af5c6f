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

// In the order of their names, as JsonWriter asks.
std::string TokenMint::claims(const TokenFacts& facts, UnixTime now, Random& random) const {
  const auto wanted = [this](std::string_view name) {
    return std::ranges::find(settings_.extra_claims, name) != settings_.extra_claims.end();
  };
  constexpr std::size_t kUsual = 512;
  JsonWriter out(kUsual);
  out.begin_object();
  if (wanted("anno")) {
    out.key("anno").begin_array();
    for (const std::string& annotation : facts.annotations) out.text(annotation);
    out.end_array();
  }
  if (wanted("arc")) out.key("arc").text(facts.arc);
  if (wanted("aud")) out.key("aud").text(settings_.audience);
  out.key("did").text(facts.device_id);
  if (wanted("ear")) out.key("ear").literal(dump_json(facts.ear));
  out.key("exp").number(to_unix(now + settings_.lifetime));
  if (wanted("iat")) out.key("iat").number(to_unix(now));
  out.key("ip").text(facts.ip);
  if (wanted("ipk")) out.key("ipk").text(base64_encode(facts.installation_key));
  if (wanted("iss")) out.key("iss").text(settings_.issuer);
  if (wanted("jti")) out.key("jti").text(base64url_encode(random.bytes(16)));
  if (wanted("lvl")) out.key("lvl").text(facts.level);
  if (facts.pay) out.key("pay").text(*facts.pay);
  if (wanted("sub")) out.key("sub").text(facts.device_id);
  out.end_object();
  return out.take();
}

std::string TokenMint::mint(bool valid, const TokenFacts& facts, UnixTime now,
                            Random& random) const {
  return crypto::sign_hs256_text(claims(facts, now, random), select(valid, secret_, decoy_secret_));
}

TokenReport TokenMint::check(std::string_view token, UnixTime now) const {
  return protocol::check_token(token, secret_, decoy_secret_, now);
}

}  // namespace touchmark::verifier::appraisal
