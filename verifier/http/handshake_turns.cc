#include "verifier/http/handshake_turns.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <iterator>
#include <new>

#include "verifier/http/awaitable.h"

namespace touchmark::verifier::http {

namespace asio = boost::asio;

struct HandshakeTurns::Waiter : std::enable_shared_from_this<Waiter> {
  Waiter(const asio::any_io_executor& executor, std::chrono::milliseconds longest)
      : timer(executor, longest) {}

  // On the waiter's own strand, which is where its wait begins. Without memory for that, it finds
  // its turn when its time is over.
  void wake() noexcept {
    try {
      asio::post(timer.get_executor(), [self = shared_from_this()] { self->timer.cancel(); });
    } catch (const std::bad_alloc&) {
    }
  }

  asio::steady_timer timer;
  // Guarded by the lock of the turns.
  bool has_turn = false;
  Queues::iterator queue{};  // while it has none
  std::list<std::shared_ptr<Waiter>>::iterator in_queue{};
};

bool HandshakeTurns::take_free_turn() {
  const MutexLock lock(mutex_);
  if (free_ == 0) return false;
  --free_;
  return true;
}

// nullptr: a turn has come back since one was asked for, and is taken.
std::shared_ptr<HandshakeTurns::Waiter> HandshakeTurns::queue_up(
    const AddressKey& key, const asio::any_io_executor& executor,
    std::chrono::milliseconds longest) {
  auto waiter = std::make_shared<Waiter>(executor, longest);
  const MutexLock lock(mutex_);
  if (free_ > 0) {
    --free_;
    return nullptr;
  }
  auto found = index_.find(key);
  if (found == index_.end()) {
    Queues added;
    added.push_back({key, {waiter}});
    found = index_.emplace(key, added.begin()).first;
    queues_.splice(queues_.end(), added);
  } else {
    found->second->waiters.push_back(waiter);
  }
  waiter->queue = found->second;
  waiter->in_queue = std::prev(waiter->queue->waiters.end());
  return waiter;
}

bool HandshakeTurns::end_wait(Waiter& waiter) {
  const MutexLock lock(mutex_);
  if (waiter.has_turn) return true;
  const auto queue = waiter.queue;
  queue->waiters.erase(waiter.in_queue);
  if (queue->waiters.empty()) {
    index_.erase(queue->key);
    queues_.erase(queue);
  }
  return false;
}

asio::awaitable<std::optional<HandshakeTurns::Turn>> HandshakeTurns::next(
    const AddressKey& key, std::chrono::milliseconds longest,
    std::weak_ptr<asio::steady_timer>& wait) {
  std::optional<Turn> turn;
  // One is free only when nobody waits: pass_on() hands it on.
  if (take_free_turn()) {
    turn.emplace(*this);
    co_return turn;
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto waiter = queue_up(key, executor, longest);
  if (!waiter) {
    turn.emplace(*this);
    co_return turn;
  }
  wait = std::shared_ptr<asio::steady_timer>(waiter, &waiter->timer);
  co_await waiter->timer.async_wait(kAsTuple);
  wait.reset();
  if (end_wait(*waiter)) turn.emplace(*this);
  co_return turn;
}

void HandshakeTurns::pass_on() {
  const MutexLock lock(mutex_);
  if (queues_.empty()) {
    ++free_;
    return;
  }
  Queue& queue = queues_.front();
  Waiter& waiter = *queue.waiters.front();
  waiter.has_turn = true;
  waiter.wake();
  queue.waiters.pop_front();
  if (!queue.waiters.empty()) {
    queues_.splice(queues_.end(), queues_, queues_.begin());
    return;
  }
  index_.erase(queue.key);
  queues_.pop_front();
}

std::size_t HandshakeTurns::waiting() const {
  const MutexLock lock(mutex_);
  std::size_t out = 0;
  for (const Queue& queue : queues_) out += queue.waiters.size();
  return out;
}

}  // namespace touchmark::verifier::http
