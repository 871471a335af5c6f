#include "verifier/appraisal/token.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr auto kExtraClaims = std::to_array<std::string_view>(
    {"iss", "aud", "sub", "iat", "jti", "arc", "anno", "ipk", "lvl", "ear"});

}  // namespace

bool is_extra_claim(std::string_view name) {
  return std::ranges::find(kExtraClaims, name) != kExtraClaims.end();
}

TokenMint::TokenMint(TokenSettings settings) : settings_(std::move(settings)) {}

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

std::string TokenMint::mint(const TokenKey& key, bool valid, const TokenFacts& facts, UnixTime now,
                            Random& random) const {
  return key.sign(valid, claims(facts, now, random));
}

TokenReport check_token(const TokenKeys& keys, std::string_view token, UnixTime now) {
  using protocol::TokenSigner;
  return protocol::check_token(token, now, [&keys](const crypto::Jws& jws) {
    auto signer = TokenSigner::kNobody;
    for (const TokenKeySet& set : keys.sets) {
      for (const TokenKey& key : set.keys) {
        if (key.signed_by(false, jws)) return TokenSigner::kDecoy;
        if (key.signed_by(true, jws)) signer = TokenSigner::kService;
      }
    }
    for (const LongLivedToken& made : keys.long_lived) {
      if (find_string(jws.header, "kid") == made.kid &&
          find_string(jws.header, "alg") == crypto::to_string(made.key.algorithm()) &&
          made.key.verifies(as_bytes(jws.signing_input), jws.signature)) {
        signer = TokenSigner::kService;
      }
    }
    return signer;
  });
}

}  // namespace touchmark::verifier::appraisal
