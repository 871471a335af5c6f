// Remembers which challenges were spent, each until it expires. Lives in memory: a restart forgets
// it, and evidence from before is then refused because it is bound to a TLS connection that is
// gone.
#pragma once

#include <array>
#include <map>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace touchmark::verifier::appraisal {

enum class Spending {
  kFirst,
  kAgain,  // spent before
  kFull,   // no room to remember it, so it must not count as spent
};

// Thread-safe.
class ReplayCache {
 public:
  // About 100 bytes of memory each.
  explicit ReplayCache(std::size_t capacity) : capacity_(capacity) {}

  // `nonce` is an authentic challenge; its first 16 bytes are its identity.
  Spending spend(ByteView nonce, UnixTime expires, UnixTime now);
  std::size_t size() const;

 private:
  using Key = std::array<std::byte, 16>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  void forget_expired(UnixTime now) REQUIRES(mutex_);

  const std::size_t capacity_;
  mutable Mutex mutex_;
  std::unordered_set<Key, KeyHash> spent_ GUARDED_BY(mutex_);
  std::map<UnixTime, std::vector<Key>> by_expiry_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::appraisal
