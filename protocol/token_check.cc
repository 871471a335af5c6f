#include "protocol/token_check.h"

namespace touchmark::protocol {
namespace {

constexpr double kMaxExactInteger = 9007199254740992;  // 2^53

// Members of the header that would change what the signature means (`crit`, and `b64` of RFC 7797,
// which nobody here understands), and a `kid` that RFC 7515 section 4.1.4 does not allow.
bool is_beyond_us(const Json& header) {
  const auto b64 = header.find("b64");
  const auto kid = header.find("kid");
  return header.contains("crit") || (b64 != header.end() && *b64 == false) ||
         (kid != header.end() && !kid->is_string());
}

TokenStatus judge_times(const Json& claims, UnixTime now) {
  const auto seconds = static_cast<double>(to_unix(now));
  const auto expiry = numeric_date(claims, "exp");
  if (!expiry) return TokenStatus::kMalformed;
  if (seconds >= *expiry) return TokenStatus::kExpired;
  if (!claims.contains("nbf")) return TokenStatus::kValid;
  const auto start = numeric_date(claims, "nbf");
  if (!start) return TokenStatus::kMalformed;
  return seconds < *start ? TokenStatus::kEarly : TokenStatus::kValid;
}

}  // namespace

std::string_view to_string(TokenStatus status) {
  switch (status) {
    case TokenStatus::kValid:
      return "valid";
    case TokenStatus::kInvalid:
      return "invalid";
    case TokenStatus::kExpired:
      return "expired";
    case TokenStatus::kEarly:
      return "early";
    case TokenStatus::kForged:
      return "forged";
    case TokenStatus::kMalformed:
      return "malformed";
  }
  return "unknown";
}

TokenReport check_token(std::string_view token, UnixTime now,
                        const std::function<TokenSigner(const crypto::Jws&)>& signer_of) {
  auto parsed = crypto::parse_jws(token);
  if (!parsed) return {TokenStatus::kMalformed, nullptr};
  const auto report = [&parsed](TokenStatus status) {
    return TokenReport{status, std::move(parsed->payload)};
  };
  // Before the signature, so that the verdict is the same whoever signed.
  if (is_beyond_us(parsed->header)) return report(TokenStatus::kMalformed);
  switch (signer_of(*parsed)) {
    case TokenSigner::kDecoy:
      return report(TokenStatus::kInvalid);
    case TokenSigner::kNobody:
      return report(TokenStatus::kForged);
    case TokenSigner::kService:
      break;
  }
  return report(judge_times(parsed->payload, now));
}

TokenReport check_token(std::string_view token, ByteView secret, ByteView decoy_secret,
                        UnixTime now) {
  return check_token(token, now, [&](const crypto::Jws&) {
    if (crypto::verify_hs256(token, decoy_secret)) return TokenSigner::kDecoy;
    return crypto::verify_hs256(token, secret) ? TokenSigner::kService : TokenSigner::kNobody;
  });
}

std::optional<double> numeric_date(const Json& claims, const char* name) {
  if (!claims.is_object()) return std::nullopt;
  const auto claim = claims.find(name);
  if (claim == claims.end() || !claim->is_number()) return std::nullopt;
  const auto seconds = claim->get<double>();
  if (!(seconds >= 0 && seconds < kMaxExactInteger)) return std::nullopt;
  return seconds;
}

}  // namespace touchmark::protocol
