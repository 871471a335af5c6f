// What the tests of the core share: configurations, and stand-ins for what a client stands on.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <random>

#include "attester/client/client.h"
#include "base/encoding.h"
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

class FakeBootClock final : public BootClock {
 public:
  explicit FakeBootClock(std::shared_ptr<std::atomic<std::int64_t>> milliseconds)
      : milliseconds_(std::move(milliseconds)) {}
  BootTime now() const override { return BootTime(milliseconds_->load()); }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> milliseconds_;
};

class FakeIntegrity final : public Integrity {
 public:
  Inspection inspect() const override {
    return {.measurement = {},
            .groups = {"app", "hook", "debug", "root", "network"},
            .findings = {{protocol::FindingId::kAppUnreadable, "no package in this test"}}};
  }
  Sha256Digest range_proof(ByteView nonce, std::span<const protocol::Range> ranges) const override {
    Bytes input = to_bytes(nonce);
    for (const protocol::Range& range : ranges) append(input, as_bytes(range.part));
    return crypto::sha256(input);
  }
};

}  // namespace touchmark::attester::testing
