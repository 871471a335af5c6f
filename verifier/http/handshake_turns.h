// Whose TLS handshake is worked on next. One costs the service a signature before its client has
// shown anything, so taken as they come, those of one address would keep everybody waiting. Here
// addresses take turns, and behind one address those who came first go first.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "verifier/http/failure_budget.h"

namespace touchmark::verifier::http {

// Thread-safe; outlives what waits at it.
class HandshakeTurns {
 public:
  explicit HandshakeTurns(std::size_t at_once) : free_(at_once) {}

  // Given back when it is gone. Held while the service works, and not while it waits for a client.
  class Turn {
   public:
    explicit Turn(HandshakeTurns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->pass_on();
    }

   private:
    HandshakeTurns* turns_;
  };

  // nullopt: it did not come within `longest`, or the wait was ended. While it waits, `wait` is a
  // timer on the caller's executor; to cancel it there ends the wait.
  boost::asio::awaitable<std::optional<Turn>> next(const AddressKey& key,
                                                   std::chrono::milliseconds longest,
                                                   std::weak_ptr<boost::asio::steady_timer>& wait);
  // Who waits.
  std::size_t waiting() const;

 private:
  struct Waiter;
  struct Queue {
    AddressKey key;
    std::list<std::shared_ptr<Waiter>> waiters;  // never empty
  };
  using Queues = std::list<Queue>;

  bool take_free_turn();
  std::shared_ptr<Waiter> queue_up(const AddressKey& key,
                                   const boost::asio::any_io_executor& executor,
                                   std::chrono::milliseconds longest);
  // Whether the turn had come. Leaves the queue where it had not.
  bool end_wait(Waiter& waiter);
  void pass_on();

  mutable Mutex mutex_;
  std::size_t free_ GUARDED_BY(mutex_);
  Queues queues_ GUARDED_BY(mutex_);  // of the addresses that wait; the next one first
  std::unordered_map<AddressKey, Queues::iterator, AddressKeyHash> index_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
