// A few threads for work that takes long or waits for a disk, so that the threads of the network
// never do.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace touchmark::verifier::http {

class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) : pool_(threads) {}
  ~WorkerPool() { join(); }

  // Waits for the work at hand; nothing may be run afterwards.
  void join() { pool_.join(); }

  // Runs `work` on a worker; the caller goes on where it was. Its result is default-constructible.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run(Work work) {
    using Value = std::invoke_result_t<Work>;
    auto task = [work = std::move(work)]() mutable -> boost::asio::awaitable<Value> {
      co_return work();
    };
    co_return co_await boost::asio::co_spawn(pool_, std::move(task), boost::asio::use_awaitable);
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace touchmark::verifier::http
