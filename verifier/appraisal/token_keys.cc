#include "verifier/appraisal/token_keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "protocol/decoy.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr std::string_view kHs256 = "HS256";
constexpr auto kStates = std::to_array<std::pair<TokenKeyState, std::string_view>>({
    {TokenKeyState::kNext, "next"},
    {TokenKeyState::kSigning, "signing"},
    {TokenKeyState::kOld, "old"},
});

// `a` when `first`, else `b`, without a branch; both have the same length.
Bytes select(bool first, ByteView a, ByteView b) {
  const auto mask = static_cast<std::byte>(-static_cast<int>(first) & 0xFF);
  Bytes out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (a[i] & mask) | (b[i] & ~mask);
  return out;
}

Json public_jwk(const crypto::SigningKey& key, const std::string& kid) {
  Json out = key.public_jwk();
  out["kid"] = kid;
  return out;
}

}  // namespace

std::string_view to_string(TokenKeyState state) {
  const auto* at = std::ranges::find(kStates, state, [](const auto& one) { return one.first; });
  return at == kStates.end() ? "" : at->second;
}

std::optional<TokenKeyState> parse_token_key_state(std::string_view text) {
  const auto* at = std::ranges::find(kStates, text, [](const auto& one) { return one.second; });
  return at == kStates.end() ? std::nullopt : std::optional(at->first);
}

TokenKey::TokenKey(std::string kid, std::variant<HmacPair, SigningPair> material)
    : kid_(std::move(kid)), material_(std::move(material)) {
  Json header{{"alg", algorithm()}, {"typ", "JWT"}};
  if (!kid_.empty()) header["kid"] = kid_;
  header_ = base64url_encode(as_bytes(dump_json(header)));
}

TokenKey TokenKey::of_secret(std::string kid, Bytes secret) {
  Bytes decoy = protocol::derive_decoy_secret(secret);
  return {std::move(kid), HmacPair{std::move(secret), std::move(decoy)}};
}

TokenKey TokenKey::of_pair(std::string kid, SigningPair pair) {
  return {std::move(kid), std::move(pair)};
}

TokenKey TokenKey::make(std::string kid, const std::optional<crypto::SigningAlgorithm>& algorithm,
                        Bytes secret_if_hs256) {
  if (!algorithm) return of_secret(std::move(kid), std::move(secret_if_hs256));
  return of_pair(std::move(kid), {crypto::SigningKey::generate(*algorithm),
                                  crypto::SigningKey::generate(*algorithm)});
}

std::string_view TokenKey::algorithm() const {
  const SigningPair* found = pair();
  return found == nullptr ? kHs256 : crypto::to_string(found->key.algorithm());
}

std::string TokenKey::sign(bool valid, std::string_view payload) const {
  std::string out = header_ + "." + base64url_encode(as_bytes(payload));
  std::string signature;
  if (const HmacPair* secret = secrets()) {
    const Bytes chosen = select(valid, secret->secret, secret->decoy);
    signature = base64url_encode(crypto::hmac_sha256(chosen, as_bytes(out)));
  } else {
    const crypto::SigningKey& chosen = valid ? pair()->key : pair()->decoy;
    signature = base64url_encode(chosen.sign(as_bytes(out)));
  }
  return out.append(".").append(signature);
}

bool TokenKey::signed_by(bool valid, const crypto::Jws& jws) const {
  if (find_string(jws.header, "alg") != algorithm()) return false;
  const auto kid = find_string(jws.header, "kid");
  if (kid && !kid_.empty() && *kid != kid_) return false;
  const ByteView input = as_bytes(jws.signing_input);
  if (const HmacPair* secret = secrets()) {
    return crypto::constant_time_equal(
        crypto::hmac_sha256(valid ? secret->secret : secret->decoy, input), jws.signature);
  }
  return (valid ? pair()->key : pair()->decoy).verifies(input, jws.signature);
}

const TokenKey* TokenKeySet::in_state(TokenKeyState state) const {
  const auto at = std::ranges::find(keys, state, &TokenKey::state);
  return at == keys.end() ? nullptr : &*at;
}

const TokenKeySet* TokenKeys::find(std::string_view name) const {
  const auto at = std::ranges::find(sets, name, &TokenKeySet::name);
  return at == sets.end() ? nullptr : &*at;
}

const TokenKey& TokenKeys::signing(std::string_view name) const {
  const TokenKeySet* set = find(name);
  return *(set == nullptr ? sets.front() : *set).in_state(TokenKeyState::kSigning);
}

Json TokenKeys::jwks(UnixTime now) const {
  Json keys = Json::array();
  for (const TokenKeySet& set : sets) {
    for (const TokenKey& key : set.keys) {
      if (key.pair() != nullptr) keys.push_back(public_jwk(key.pair()->key, key.kid()));
    }
  }
  for (const LongLivedToken& token : long_lived) {
    if (now < token.expires) keys.push_back(public_jwk(token.key, token.kid));
  }
  return {{"keys", std::move(keys)}};
}

TokenKeys keys_of_secret(Bytes secret) {
  TokenKeys out;
  out.sets.push_back({std::string(TokenKeys::kDefault), {}});
  out.sets.front().keys.push_back(TokenKey::of_secret("", std::move(secret)));
  return out;
}

}  // namespace touchmark::verifier::appraisal
