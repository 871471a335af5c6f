// The store of tokens that were spent: what makes a token count once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "relying-party/cpp/settings.h"

namespace touchmark::relying {

enum class Spending {
  kFirst,     // nobody has spent it before
  kAgain,     // somebody has
  kNoAnswer,  // nobody knows: the store is not there, or full
};

// Thread-safe.
class SpentTokens {
 public:
  virtual ~SpentTokens() = default;
  // `token`: SHA-256 of its `jti`. `until`: Unix time in seconds up to which it counts, and `now`
  // the time that it is.
  virtual Spending spend(const Sha256Digest& token, double until, double now) = 0;
  // Whether spend() may wait, for a network.
  virtual bool may_wait() const = 0;
};

// In this process.
class SpentInMemory final : public SpentTokens {
 public:
  static constexpr std::size_t kMost = 100'000;

  explicit SpentInMemory(std::size_t most = kMost) : most_(most) {}
  Spending spend(const Sha256Digest& token, double until, double now) override;
  bool may_wait() const override { return false; }

 private:
  struct Hash {
    std::size_t operator()(const Sha256Digest& digest) const;
  };
  const std::size_t most_;
  Mutex mutex_;
  std::unordered_set<Sha256Digest, Hash> spent_ GUARDED_BY(mutex_);
  std::multimap<double, Sha256Digest> by_end_ GUARDED_BY(mutex_);
};

enum class RedisError {
  kNoAnswer,  // it cannot be reached, or does not answer in time
  kRefused,   // it answers with an error
};
std::string_view error_id(RedisError error);

// In Redis, for all processes that share it. A connection for each thread that is at work, kept
// open; an answer has 500 ms. `said`: what is wrong with it, for a log.
std::unique_ptr<SpentTokens> spent_in_redis(const RedisAddress& address,
                                            std::function<void(const Error&)> said = {});

}  // namespace touchmark::relying
