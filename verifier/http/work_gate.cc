#include "verifier/http/work_gate.h"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "verifier/http/awaitable.h"

namespace touchmark::verifier::http {
namespace {

namespace asio = boost::asio;

}  // namespace

struct WorkGate::Waiter : std::enable_shared_from_this<Waiter> {
  Waiter(const asio::any_io_executor& executor, std::chrono::milliseconds wait)
      : timer(executor, wait) {}

  // On the waiter's own strand, which is where its wait begins.
  void wake() {
    asio::post(timer.get_executor(), [self = shared_from_this()] { self->timer.cancel(); });
  }

  asio::steady_timer timer;
  enum class State { kWaits, kMayEnter, kSentAway } state = State::kWaits;  // guarded by the gate
};

std::size_t WorkGate::waiting() const {
  std::size_t out = 0;
  for (const Queue& queue : queues_) out += queue.size();
  return out;
}

std::optional<WorkGate::Place> WorkGate::try_enter() {
  const MutexLock lock(mutex_);
  if (free_ == 0) return std::nullopt;
  --free_;
  return std::optional<Place>(std::in_place, *this);
}

std::shared_ptr<WorkGate::Waiter> WorkGate::queue_up(Rank rank, asio::any_io_executor executor) {
  const MutexLock lock(mutex_);
  auto& own = queues_[static_cast<std::size_t>(rank)];
  if (waiting() >= settings_.waiting) {
    const auto worst = std::find_if(queues_.rbegin(), queues_.rend(),
                                    [](const Queue& queue) { return !queue.empty(); });
    if (worst == queues_.rend() || &*worst <= &own) return nullptr;
    worst->back()->state = Waiter::State::kSentAway;
    worst->back()->wake();
    worst->pop_back();
  }
  own.push_back(std::make_shared<Waiter>(executor, settings_.longest_wait));
  return own.back();
}

asio::awaitable<std::optional<WorkGate::Place>> WorkGate::enter(Rank rank) {
  // A place is free only when nobody waits: leave() hands it on.
  std::optional<Place> place = try_enter();
  if (place) co_return place;
  auto executor = co_await asio::this_coro::executor;
  const auto waiter = queue_up(rank, executor);
  if (!waiter) co_return place;
  co_await waiter->timer.async_wait(kAsTuple);
  const MutexLock lock(mutex_);
  if (waiter->state == Waiter::State::kMayEnter) place.emplace(*this);
  if (waiter->state == Waiter::State::kWaits) {
    queues_[static_cast<std::size_t>(rank)].remove(waiter);
  }
  co_return place;
}

void WorkGate::leave() {
  const MutexLock lock(mutex_);
  for (Queue& queue : queues_) {
    if (queue.empty()) continue;
    queue.front()->state = Waiter::State::kMayEnter;
    queue.front()->wake();
    queue.pop_front();
    return;
  }
  ++free_;
}

}  // namespace touchmark::verifier::http
