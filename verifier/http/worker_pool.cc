#include "verifier/http/worker_pool.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace touchmark::verifier::http {

boost::asio::awaitable<void> WorkerPool::run_there(std::function<void()> work) {
  auto task = [&work]() -> boost::asio::awaitable<void> {
    work();
    co_return;
  };
  co_await boost::asio::co_spawn(pool_, std::move(task), boost::asio::use_awaitable);
}

}  // namespace touchmark::verifier::http
