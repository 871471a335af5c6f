// How much work for apps is done at a time. More would only stand in the way of handshakes,
// operators' commands and answers that are ready. The rest waits here, those first who are most
// likely a phone; who waits too long is told to come back.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>

#include "base/mutex.h"

namespace touchmark::verifier::http {

struct GateSettings {
  std::size_t at_once = 2;
  std::size_t waiting = 1024;
  std::chrono::milliseconds longest_wait{3000};
};

// Thread-safe; outlives what waits at it.
class WorkGate {
 public:
  explicit WorkGate(GateSettings settings) : settings_(settings), free_(settings.at_once) {}

  // In this order. A phone asks once or twice over a connection. Who asks more often has had its
  // share, and who asks from an address that sends refused evidence comes after those who do not.
  enum class Rank { kFirst, kFromSpentAddress, kAgain };

  // A place at work, given back when it is gone.
  class Place {
   public:
    explicit Place(WorkGate& gate) : gate_(&gate) {}
    Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Place() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    WorkGate* gate_;
  };

  // A place that is free now; nullopt: there is none.
  std::optional<Place> try_enter();
  // nullopt: no place came free in time, or others with a better rank needed this one.
  boost::asio::awaitable<std::optional<Place>> enter(Rank rank);

 private:
  struct Waiter;
  using Queue = std::list<std::shared_ptr<Waiter>>;

  std::shared_ptr<Waiter> queue_up(Rank rank, boost::asio::any_io_executor executor);
  void leave();
  std::size_t waiting() const REQUIRES(mutex_);

  const GateSettings settings_;
  Mutex mutex_;
  std::size_t free_ GUARDED_BY(mutex_);
  std::array<Queue, 3> queues_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
