#include "verifier/http/worker_pool.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace touchmark::verifier::http {
boost::asio::awaitable<void> WorkerPool::run_there(const std::function<void()>& work,
                                                   Place& place) {
  auto task = [&work, &place]() -> boost::asio::awaitable<void> {
    try {
      work();
    } catch (...) {
      place.give_up();
      throw;
    }
    place.give_up();
    co_return;
  };
  co_await boost::asio::co_spawn(pool_, std::move(task), boost::asio::use_awaitable);
}

}  // namespace touchmark::verifier::http
