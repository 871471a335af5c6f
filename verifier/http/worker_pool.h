// A few threads for work that takes long or waits for a disk, so that the threads of the network
// never do.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace touchmark::verifier::http {

class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) : pool_(threads) {}
  ~WorkerPool() { join(); }

  // Waits for the work at hand; nothing may be run afterwards.
  void join() { pool_.join(); }

  // Runs `work` on a worker; the caller goes on where it was, and gets its exception if it throws.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run(Work work) {
    std::optional<std::invoke_result_t<Work>> result;
    co_await run_there([&] { result.emplace(work()); });
    co_return std::move(*result);
  }

 private:
  boost::asio::awaitable<void> run_there(std::function<void()> work);

  boost::asio::thread_pool pool_;
};

}  // namespace touchmark::verifier::http
