// What the verifier's tests share: time and randomness that a test sets, an app that exists in
// memory only, and an attester that says whatever the test wants.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/mutex.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "protocol/range.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::testing {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start = 1'790'000'000) : seconds_(start) {}
  UnixTime now() const override { return from_unix(seconds_); }
  void advance(Seconds by) { seconds_ += by.count(); }

 private:
  std::atomic<std::int64_t> seconds_;
};

// The same bytes in every run: SHA-256 of seed and counter.
class RepeatableRandom final : public Random {
 public:
  explicit RepeatableRandom(std::string seed = "touchmark tests") : seed_(std::move(seed)) {}
  void fill(std::span<std::byte> out) override;

 private:
  Mutex mutex_;
  const std::string seed_;
  std::uint64_t counter_ GUARDED_BY(mutex_) = 0;
};

// An app with two code-bearing parts (one of them larger than a chunk of the store) and a manifest.
struct MemoryApp {
  package::Measurement measurement;
  std::map<std::string, Bytes> contents;

  static MemoryApp make(const std::string& package_name = "com.example.app",
                        const std::string& seed = "app");
  model::Registration registration(UnixTime created, std::optional<UnixTime> expires = {}) const;
  store::PartReader reader() const;
};

// One write in a transaction of its own: write(*store, &store::Transaction::put_api, api).
template <class... Parameters>
Result<void> write(store::Store& store, Result<void> (store::Transaction::*method)(Parameters...),
                   std::type_identity_t<Parameters>... arguments) {
  return store.write([&](store::Transaction& transaction) {
    return (transaction.*method)(std::forward<Parameters>(arguments)...);
  });
}

// A document that lets software evidence pass, as the attesters here make it.
inline constexpr const char* kSoftwarePasses = "version = 1\n";
// Puts a document into force, without an entry in the audit log; for a verifier that is opened
// later.
void put_policy(store::Store& store, const std::string& text = kSoftwarePasses);
// Registers an app with its content.
Result<void> put_registration(store::Store& store, const model::Registration& registration,
                              const store::PartReader& read);

// Answers challenges as the SDK does, for an app in memory.
class SoftAttester {
 public:
  SoftAttester(MemoryApp app, std::string account)
      : app(std::move(app)), account(std::move(account)) {}

  std::string challenge_request() const;
  Json code() const;  // the claim of parts and their sizes
  // Claims for `challenge` (the challenge object), as a sound app on a sound phone makes them.
  Json claims(const Json& challenge) const;
  // The body of /v1/attest.
  std::string attest_request(const Json& claims) const;

  MemoryApp app;
  std::string account;
  crypto::EcKey key = crypto::EcKey::generate();
  std::int64_t config_version = 1 << 30;  // newer than any: no configuration comes back
  Bytes exporter = Bytes(32, std::byte{0x11});
  Bytes spki = Bytes(32, std::byte{0x22});
};

}  // namespace touchmark::verifier::testing
