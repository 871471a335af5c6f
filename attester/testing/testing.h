// What the tests of the core share: stand-ins for what a client stands on.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <random>

#include "attester/client/client.h"
#include "attester/testing/signed_config.h"

namespace touchmark::attester::testing {

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
