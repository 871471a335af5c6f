// Tokens and requests of every kind that an API server's check has to tell apart: for `touchmark
// token example` and `touchmark token try`. What each must get is in protocol/token-check.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "verifier/appraisal/token_keys.h"

namespace touchmark::cli::commands {

using HeaderLine = std::pair<std::string, std::string>;

// How the API's check is set up.
struct TriedApi {
  verifier::appraisal::TokenKeys keys;  // with secrets
  std::string header = "Touchmark-Token";
  std::string prefix;
  std::vector<HeaderLine> bound;  // the binding headers in the check's order, with values
  std::string audience;
  std::string issuer;
  std::string level;
};

// One kind. `make`: the header lines of a request of it.
struct TokenKind {
  std::string_view name;  // "expired"
  std::string_view status;
  std::string_view reason;  // of token-check.md
  std::string_view what;
  bool needs_binding = false;  // only where the API binds tokens
  bool needs_audience = false;
  bool needs_issuer = false;
  bool needs_level = false;
  // The value of the token's header; nullopt: the request has none.
  std::optional<std::string> (*token)(const TriedApi& api, UnixTime now, Random& random);

  bool is_served() const { return status == "valid"; }
  bool fits(const TriedApi& api) const;
};

std::vector<TokenKind> token_kinds();
const TokenKind* find_token_kind(const std::vector<TokenKind>& kinds, std::string_view name);

// The header lines of a request of the kind.
std::vector<HeaderLine> request_headers(const TokenKind& kind, const TriedApi& api, UnixTime now,
                                        Random& random);

}  // namespace touchmark::cli::commands
