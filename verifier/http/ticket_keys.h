// The keys that seal sessions into the tickets which clients bring back (RFC 8446 section 2.2,
// RFC 5077). The service keeps nothing of a session itself.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/mutex.h"

namespace touchmark::verifier::http {

// How long a ticket is good for, and how long a key makes tickets. It then opens those that it made
// for as long again, and is wiped: no key lives longer than twice this.
inline constexpr std::chrono::seconds kTicketLifetime = std::chrono::hours(2);

// Thread-safe. In memory alone: a restart, and another certificate, make every ticket worthless.
class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kNameBytes = 16;
  using Name = std::array<std::uint8_t, kNameBytes>;

  // Wiped when the last who holds it lets go.
  struct Key {
    Key() = default;
    ~Key();
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;
    Name name{};  // public: it stands in the ticket
    std::array<std::uint8_t, 32> cipher{};
    std::array<std::uint8_t, 32> mac{};
  };
  using SharedKey = std::shared_ptr<const Key>;

  explicit TicketKeys(std::function<Clock::time_point()> now = Clock::now);

  // For new tickets; null when there is no randomness to make one of.
  SharedKey current();
  // What a ticket with this name was made with; null when that is forgotten. `renew`: it makes no
  // tickets any longer.
  struct Found {
    SharedKey key;
    bool renew = false;
  };
  Found find(std::span<const std::uint8_t> name);

  // Wipes what is over. Whoever asks for a key does so too; this is for when nobody does.
  void wipe_old() { current(); }

  // Lets the connections of a context resume under these keys, which must outlive it.
  void use_in(SSL_CTX* context);

 private:
  void rotate() REQUIRES(mutex_);

  const std::function<Clock::time_point()> now_;
  Mutex mutex_;
  Clock::time_point made_ GUARDED_BY(mutex_);  // the current one
  SharedKey current_ GUARDED_BY(mutex_);
  SharedKey previous_ GUARDED_BY(mutex_);
  Clock::time_point previous_until_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
