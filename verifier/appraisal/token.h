// Makes and checks tokens: the valid one, and the decoy that differs in nothing but the key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "protocol/token_check.h"
#include "verifier/appraisal/token_keys.h"

namespace touchmark::verifier::appraisal {

using protocol::TokenReport;
using protocol::TokenStatus;

struct TokenSettings {
  Seconds lifetime{300};
  std::vector<std::string> extra_claims;
  std::string issuer;
  std::string audience;
};

// What one token says.
struct TokenFacts {
  std::string device_id;
  std::string ip;
  std::optional<std::string> pay;
  std::string arc;
  std::vector<std::string> annotations;
  Bytes installation_key;          // DER SPKI
  std::string level = "software";  // assurance level of the installation key
  Json ear = nullptr;              // the verdict in the standards' form (verifier/policy/ear.h)
};

// Immutable, so usable from many threads.
class TokenMint {
 public:
  explicit TokenMint(TokenSettings settings);

  // One path for both: `valid` chooses between the key and its decoy, and nothing else.
  std::string mint(const TokenKey& key, bool valid, const TokenFacts& facts, UnixTime now,
                   Random& random) const;

  const TokenSettings& settings() const { return settings_; }

 private:
  std::string claims(const TokenFacts& facts, UnixTime now, Random& random) const;
  TokenSettings settings_;
};

// By every key of `keys`, whichever state it is in.
TokenReport check_token(const TokenKeys& keys, std::string_view token, UnixTime now);

// The claims that can be opted in, beside `pay`, which is there when the evidence has it.
bool is_extra_claim(std::string_view name);

}  // namespace touchmark::verifier::appraisal
