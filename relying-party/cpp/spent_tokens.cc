#include "relying-party/cpp/spent_tokens.h"

#include <hiredis/hiredis.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/encoding.h"

namespace touchmark::relying {
namespace {

constexpr timeval kRedisTime{0, 500'000};
constexpr std::size_t kIdleConnections = 64;
// One name in every language, so that servers of several share what is spent.
constexpr const char* kRedisKey = "touchmark:spent:";

struct RedisCloser {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Connection = std::unique_ptr<redisContext, RedisCloser>;
using Reply = std::unique_ptr<redisReply, RedisCloser>;

class SpentInRedis final : public SpentTokens {
 public:
  SpentInRedis(const RedisAddress& address, std::function<void(const Error&)> said)
      : address_(address), said_(std::move(said)) {}

  Spending spend(const Sha256Digest& token, double until, double now) override {
    const std::string key = kRedisKey + hex_encode(token);
    // At least as long as the token counts, on a clock that may run a little faster.
    const auto milliseconds =
        static_cast<long long>(std::ceil((std::max(until - now, 0.0) + 1) * 1000));
    Connection connection = take();
    const bool was_kept = connection != nullptr;
    if (connection == nullptr) connection = connect();
    Reply reply = set(connection.get(), key, milliseconds);
    if (reply == nullptr && was_kept) {
      // Redis may have closed what was left idle. Had the lost command been carried out, this one
      // would find the token spent: refused rather than served twice.
      connection = connect();
      reply = set(connection.get(), key, milliseconds);
    }
    if (reply == nullptr) {
      say(RedisError::kNoAnswer, connection == nullptr ? "no memory" : connection->errstr);
      return Spending::kNoAnswer;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
      say(RedisError::kRefused, std::string(reply->str, reply->len));
      return Spending::kNoAnswer;
    }
    give_back(std::move(connection));
    return reply->type == REDIS_REPLY_NIL ? Spending::kAgain : Spending::kFirst;
  }
  bool may_wait() const override { return true; }

 private:
  Connection take() {
    const MutexLock lock(mutex_);
    if (idle_.empty()) return nullptr;
    Connection out = std::move(idle_.back());
    idle_.pop_back();
    return out;
  }
  void give_back(Connection connection) {
    const MutexLock lock(mutex_);
    if (idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
  }

  Connection connect() {
    Connection out(redisConnectWithTimeout(address_.host.c_str(), address_.port, kRedisTime));
    if (out == nullptr || out->err != 0) return out;
    redisSetTimeout(out.get(), kRedisTime);
    if (address_.database == 0) return out;
    const Reply reply(
        static_cast<redisReply*>(redisCommand(out.get(), "SELECT %u", address_.database)));
    if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) {
      say(RedisError::kRefused, std::string(reply->str, reply->len));
      return nullptr;
    }
    return out;
  }

  static Reply set(redisContext* connection, const std::string& key, long long milliseconds) {
    if (connection == nullptr || connection->err != 0) return nullptr;
    return Reply(static_cast<redisReply*>(
        redisCommand(connection, "SET %s 1 NX PX %lld", key.c_str(), milliseconds)));
  }

  void say(RedisError error, const std::string& what) {
    if (!said_) return;
    said_(Error(error,
                "redis://" + address_.host + ":" + std::to_string(address_.port) + ": " + what));
  }

  const RedisAddress address_;
  const std::function<void(const Error&)> said_;
  Mutex mutex_;
  std::vector<Connection> idle_ GUARDED_BY(mutex_);
};

}  // namespace

std::string_view error_id(RedisError error) {
  using enum RedisError;
  static constexpr auto kIds = error_table<RedisError>({
      {kNoAnswer, "redis.no-answer"},
      {kRefused, "redis.refused"},
  });
  return kIds[error];
}

std::size_t SpentInMemory::Hash::operator()(const Sha256Digest& digest) const {
  std::size_t out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

Spending SpentInMemory::spend(const Sha256Digest& token, double until, double now) {
  const MutexLock lock(mutex_);
  while (!by_end_.empty() && by_end_.begin()->first <= now) {
    spent_.erase(by_end_.begin()->second);
    by_end_.erase(by_end_.begin());
  }
  if (spent_.contains(token)) return Spending::kAgain;
  if (spent_.size() >= most_) return Spending::kNoAnswer;
  spent_.insert(token);
  by_end_.emplace(until, token);
  return Spending::kFirst;
}

std::unique_ptr<SpentTokens> spent_in_redis(const RedisAddress& address,
                                            std::function<void(const Error&)> said) {
  return std::make_unique<SpentInRedis>(address, std::move(said));
}

}  // namespace touchmark::relying
