// Where public keys come from: a JWKS that is read, kept, read again when it is old or does not
// have the key that a token names, and that goes on counting while its source is down.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "relying-party/cpp/keys.h"

namespace touchmark::relying {

// One reading.
struct KeyReading {
  KeySet keys;
  std::optional<std::chrono::seconds> max_age{};  // as the source said it
};
using ReadKeys = std::function<Result<KeyReading>()>;

// Of a path, or of a URL: https, or http on a loopback address. Five seconds at the most.
// KeySetError::kBadAddress for what is neither.
Result<ReadKeys> reader_of(const std::string& path_or_url);

// Thread-safe. Readings are made on a thread of its own, one at a time.
class KeySource {
 public:
  using SteadyNow = std::function<std::chrono::steady_clock::time_point()>;

  // Begins the first reading. `said`: what is wrong with the source, for a log; from any thread.
  explicit KeySource(ReadKeys read, std::function<void(const Error&)> said = {},
                     SteadyNow now = std::chrono::steady_clock::now);
  ~KeySource();  // waits for the reading that is under way
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  struct Known {
    std::shared_ptr<const KeySet> keys;  // the newest set; null when none could be read yet
    bool is_over = false;                // its time; another is being read, and is to be judged by
  };
  // Begins another reading where the set's time is over. While that fails the set goes on counting,
  // and nobody is to wait for the next try.
  Known known();
  // For a key that the set does not have: begins a reading, unless one began in the last ten
  // seconds (the first counts only when it failed). Whether one is under way, so that waiting may
  // help.
  bool read_again();
  // Waits for the reading that is under way.
  void wait();
  // Calls `then` when the reading that is under way has ended; at once when there is none. From any
  // thread.
  void after_reading(std::function<void()> then);

 private:
  void begin_reading() REQUIRES(mutex_);
  void run();
  bool is_due(std::chrono::steady_clock::time_point now) const REQUIRES(mutex_);

  const ReadKeys read_;
  const std::function<void(const Error&)> said_;
  const SteadyNow now_;
  Mutex mutex_;
  std::condition_variable_any ended_;
  std::shared_ptr<const KeySet> keys_ GUARDED_BY(mutex_);
  std::optional<std::chrono::steady_clock::time_point> begun_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point old_at_ GUARDED_BY(mutex_);
  bool reading_ GUARDED_BY(mutex_) = false;
  bool failed_ GUARDED_BY(mutex_) = false;  // the last reading
  std::vector<std::function<void()>> waiting_ GUARDED_BY(mutex_);
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::relying
