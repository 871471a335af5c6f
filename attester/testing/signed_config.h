// Configurations of an account of their own, for tests and benchmarks.
#pragma once

#include <string>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/jose.h"

namespace touchmark::attester::testing {

inline std::string pin_text(std::uint8_t fill) {
  Sha256Digest digest;
  digest.fill(std::byte{fill});
  return base64_encode(digest);
}

// A valid payload, to be changed by a test before it is signed.
inline Json config_payload(const crypto::EcKey& key, std::int64_t version = 1) {
  return {{"account", "acct"},
          {"version", version},
          {"issued", 1790000000},
          {"service",
           {{"urls", {"https://one.example:8443", "https://two.example"}},
            {"pins", {pin_text(1), pin_text(2)}}}},
          {"retry", {{"attempts", 2}, {"initial_ms", 1}, {"max_ms", 2}, {"timeout_ms", 60000}}},
          {"api",
           {{{"domain", "api.example.com"}, {"pins", {pin_text(3), pin_text(4)}}},
            {{"domain", "open.example.com:444"}, {"pins", Json::array()}}}},
          {"token", {{"header", "Touchmark-Token"}, {"prefix", ""}}},
          {"config_key", crypto::to_jwk(key)}};
}

inline std::string sign_config(const Json& payload, const crypto::EcKey& key) {
  return crypto::sign_es256(payload, key, {{"typ", "touchmark-config+jwt"}});
}

}  // namespace touchmark::attester::testing
