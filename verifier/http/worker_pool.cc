#include "verifier/http/worker_pool.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace touchmark::verifier::http {
namespace {

struct Counted {
  explicit Counted(std::atomic<std::size_t>& counter) : count(counter) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count; }
  std::atomic<std::size_t>& count;
};

}  // namespace

boost::asio::awaitable<void> WorkerPool::run_there(std::function<void()> work) {
  auto task = [this, &work]() -> boost::asio::awaitable<void> {
    const Counted counted(at_hand_);
    work();
    co_return;
  };
  co_await boost::asio::co_spawn(pool_, std::move(task), boost::asio::use_awaitable);
}

}  // namespace touchmark::verifier::http
