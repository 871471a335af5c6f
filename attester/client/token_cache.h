// Tokens by what they were asked for.
#pragma once

#include <chrono>
#include <compare>
#include <map>
#include <optional>
#include <string>

#include "attester/core/boot_clock.h"

namespace touchmark::attester::client {

// What a token is for. Requests for the same share it.
struct TokenRequest {
  std::string binding;    // the value that it is bound to; empty: none
  std::string key_set{};  // that signs it, as the configuration calls it; empty: the default
  auto operator<=>(const TokenRequest&) const = default;
};

struct CachedToken {
  std::string token;
  std::string arc;
  BootTime asked{};  // before the request went out, so that the token is never thought younger
  std::chrono::seconds lifetime{};

  // Useful for a request that leaves now: it ends a little before the token does.
  bool usable(BootTime now) const;
  // Past two thirds of its life: time to fetch the next one while this one still serves.
  bool ageing(BootTime now) const;
  std::chrono::seconds left(BootTime now) const;
};

// Not thread-safe. Bounded: the oldest entry makes room.
class TokenCache {
 public:
  std::optional<CachedToken> find(const TokenRequest& request, BootTime now) const;
  void put(const TokenRequest& request, CachedToken token);
  void clear() { tokens_.clear(); }

 private:
  static constexpr std::size_t kMaxTokens = 32;
  std::map<TokenRequest, CachedToken> tokens_;
};

}  // namespace touchmark::attester::client
