#include "cli/commands/token_kinds.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "crypto/jose.h"

namespace touchmark::cli::commands {
namespace {

using verifier::appraisal::TokenKey;

constexpr Seconds kLifetime{300};
constexpr std::size_t kTooLong = 5000;

const TokenKey& key_of(const TriedApi& api) { return api.keys.signing(""); }

// What a token of a passed attestation says, as far as this API asks.
Json claims_of(const TriedApi& api, UnixTime now, Random& random) {
  Json out{{"did", base64_encode(random.bytes(16))},
           {"exp", to_unix(now + kLifetime)},
           {"jti", base64url_encode(random.bytes(16))}};
  if (!api.audience.empty()) out["aud"] = api.audience;
  if (!api.issuer.empty()) out["iss"] = api.issuer;
  if (!api.level.empty()) out["lvl"] = api.level;
  if (!api.bound.empty()) {
    std::string value;
    for (const auto& [name, text] : api.bound) value += (value.empty() ? "" : "\n") + text;
    out["pay"] = base64_encode(crypto::sha256(as_bytes(value)));
  }
  return out;
}

std::string sign(const TriedApi& api, const Json& claims) {
  return key_of(api).sign(true, dump_json(claims));
}

// With a header that no key of ours would write.
std::string by_hand(const Json& header, const Json& claims, ByteView secret) {
  const std::string input = base64url_encode(as_bytes(dump_json(header))) + "." +
                            base64url_encode(as_bytes(dump_json(claims)));
  return input + "." + base64url_encode(crypto::hmac_sha256(secret, as_bytes(input)));
}

using Made = std::optional<std::string>;

template <class Change>
Made changed(const TriedApi& api, UnixTime now, Random& random, Change change) {
  Json claims = claims_of(api, now, random);
  change(claims);
  return sign(api, claims);
}

Made valid(const TriedApi& api, UnixTime now, Random& random) {
  return sign(api, claims_of(api, now, random));
}
Made missing(const TriedApi&, UnixTime, Random&) { return std::nullopt; }
Made empty(const TriedApi&, UnixTime, Random&) { return ""; }
Made decoy(const TriedApi& api, UnixTime now, Random& random) {
  return key_of(api).sign(false, dump_json(claims_of(api, now, random)));
}
Made forged(const TriedApi& api, UnixTime now, Random& random) {
  return TokenKey::of_secret(key_of(api).kid(), random.bytes(32))
      .sign(true, dump_json(claims_of(api, now, random)));
}
Made expired(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random,
                 [&](Json& claims) { claims["exp"] = to_unix(now - 2 * kLifetime); });
}
Made early(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [&](Json& claims) {
    claims["nbf"] = to_unix(now + 2 * kLifetime);
    claims["exp"] = to_unix(now + 3 * kLifetime);
  });
}
Made no_exp(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [](Json& claims) { claims.erase("exp"); });
}
Made text_exp(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random,
                 [&](Json& claims) { claims["exp"] = std::to_string(to_unix(now + kLifetime)); });
}
Made no_algorithm(const TriedApi& api, UnixTime now, Random& random) {
  const Json header{{"alg", "none"}, {"typ", "JWT"}};
  return base64url_encode(as_bytes(dump_json(header))) + "." +
         base64url_encode(as_bytes(dump_json(claims_of(api, now, random)))) + ".";
}
Made other_algorithm(const TriedApi& api, UnixTime now, Random& random) {
  const auto* secrets = key_of(api).secrets();
  const Bytes stranger = random.bytes(32);
  return by_hand({{"alg", "HS384"}, {"typ", "JWT"}}, claims_of(api, now, random),
                 secrets == nullptr ? ByteView(stranger) : ByteView(secrets->secret));
}
Made extension(const TriedApi& api, UnixTime now, Random& random) {
  const auto* secrets = key_of(api).secrets();
  const Bytes stranger = random.bytes(32);
  return by_hand({{"alg", "HS256"}, {"crit", Json::array({"x"})}, {"x", 1}},
                 claims_of(api, now, random),
                 secrets == nullptr ? ByteView(stranger) : ByteView(secrets->secret));
}
Made unknown_key(const TriedApi& api, UnixTime now, Random& random) {
  return TokenKey::of_secret("k" + hex_encode(random.bytes(6)), random.bytes(32))
      .sign(true, dump_json(claims_of(api, now, random)));
}
Made malformed(const TriedApi&, UnixTime, Random&) { return "no-token"; }
Made too_long(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random,
                 [](Json& claims) { claims["pad"] = std::string(kTooLong, 'x'); });
}
Made two(const TriedApi& api, UnixTime now, Random& random) {
  const std::string token = *valid(api, now, random);
  return token + ", " + token;
}
Made unbound(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [](Json& claims) { claims.erase("pay"); });
}
Made bound_elsewhere(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [&](Json& claims) {
    claims["pay"] = base64_encode(crypto::sha256(random.bytes(16)));
  });
}
Made other_audience(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [](Json& claims) { claims["aud"] = "another.invalid"; });
}
Made other_issuer(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [](Json& claims) { claims["iss"] = "another.invalid"; });
}
Made no_level(const TriedApi& api, UnixTime now, Random& random) {
  return changed(api, now, random, [](Json& claims) { claims.erase("lvl"); });
}

}  // namespace

bool TokenKind::fits(const TriedApi& api) const {
  return (!needs_binding || !api.bound.empty()) && (!needs_audience || !api.audience.empty()) &&
         (!needs_issuer || !api.issuer.empty()) && (!needs_level || !api.level.empty());
}

std::vector<TokenKind> token_kinds() {
  return {
      {.name = "valid",
       .status = "valid",
       .reason = "ok",
       .what = "as a genuine app gets it",
       .token = valid},
      {.name = "missing",
       .status = "missing",
       .reason = "no-token",
       .what = "no token at all",
       .token = missing},
      {.name = "empty",
       .status = "missing",
       .reason = "no-token",
       .what = "an empty header",
       .token = empty},
      {.name = "decoy",
       .status = "invalid",
       .reason = "decoy",
       .what = "of a failed attestation",
       .token = decoy},
      {.name = "forged",
       .status = "forged",
       .reason = "bad-signature",
       .what = "signed by a stranger",
       .token = forged},
      {.name = "expired",
       .status = "expired",
       .reason = "expired",
       .what = "valid until a while ago",
       .token = expired},
      {.name = "early",
       .status = "early",
       .reason = "not-yet-valid",
       .what = "valid in a while",
       .token = early},
      {.name = "no-exp",
       .status = "malformed",
       .reason = "no-exp",
       .what = "signed, without an exp",
       .token = no_exp},
      {.name = "text-exp",
       .status = "malformed",
       .reason = "no-exp",
       .what = "signed, its exp a text",
       .token = text_exp},
      {.name = "no-algorithm",
       .status = "forged",
       .reason = "wrong-algorithm",
       .what = "alg none, no signature",
       .token = no_algorithm},
      {.name = "other-algorithm",
       .status = "forged",
       .reason = "wrong-algorithm",
       .what = "says HS384",
       .token = other_algorithm},
      {.name = "unknown-extension",
       .status = "malformed",
       .reason = "unknown-extension",
       .what = "with crit",
       .token = extension},
      {.name = "unknown-key",
       .status = "forged",
       .reason = "",
       .what = "a kid that nobody knows",
       .token = unknown_key},
      {.name = "malformed",
       .status = "malformed",
       .reason = "not-compact",
       .what = "not a token",
       .token = malformed},
      {.name = "too-long",
       .status = "malformed",
       .reason = "too-long",
       .what = "longer than 4096 bytes",
       .token = too_long},
      {.name = "two",
       .status = "malformed",
       .reason = "two-tokens",
       .what = "two tokens in one header",
       .token = two},
      {.name = "unbound",
       .status = "unbound",
       .reason = "wrong-pay",
       .what = "bound to nothing",
       .needs_binding = true,
       .token = unbound},
      {.name = "bound-elsewhere",
       .status = "unbound",
       .reason = "wrong-pay",
       .what = "bound to another value",
       .needs_binding = true,
       .token = bound_elsewhere},
      {.name = "other-audience",
       .status = "misdirected",
       .reason = "wrong-audience",
       .what = "for another API",
       .needs_audience = true,
       .token = other_audience},
      {.name = "other-issuer",
       .status = "misdirected",
       .reason = "wrong-issuer",
       .what = "of another service",
       .needs_issuer = true,
       .token = other_issuer},
      {.name = "no-level",
       .status = "weak",
       .reason = "low-level",
       .what = "without a level",
       .needs_level = true,
       .token = no_level},
  };
}

const TokenKind* find_token_kind(const std::vector<TokenKind>& kinds, std::string_view name) {
  const auto at = std::ranges::find(kinds, name, &TokenKind::name);
  return at == kinds.end() ? nullptr : &*at;
}

std::vector<HeaderLine> request_headers(const TokenKind& kind, const TriedApi& api, UnixTime now,
                                        Random& random) {
  std::vector<HeaderLine> out = api.bound;
  if (const auto token = kind.token(api, now, random)) {
    out.emplace_back(api.header, token->empty() ? "" : api.prefix + *token);
  }
  return out;
}

}  // namespace touchmark::cli::commands
