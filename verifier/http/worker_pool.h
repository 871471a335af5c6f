// A few threads for work that takes long or waits for a disk, so that the threads of the network
// never do.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace touchmark::verifier::http {

class WorkerPool {
 public:
  // `max_waiting`: how much work may wait while all threads are busy.
  explicit WorkerPool(std::size_t threads, std::size_t max_waiting = SIZE_MAX / 2)
      : most_(threads + max_waiting), pool_(threads) {}
  ~WorkerPool() { join(); }

  // Waits for the work at hand; nothing may be run afterwards.
  void join() { pool_.join(); }
  // Whether there is a place for more work now. From any thread.
  bool has_room() const { return at_hand_ < most_; }
  // Whether there is no work at hand. From any thread.
  bool idle() const { return at_hand_ == 0; }

  // Runs `work` on a worker, however much waits; the caller goes on where it was, and gets its
  // exception if it throws.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run(Work work) {
    std::optional<std::invoke_result_t<Work>> result;
    Place place(at_hand_);
    const std::function<void()> job = [&] { result.emplace(work()); };
    co_await run_there(job, place);
    co_return std::move(*result);
  }

  // The same where there is room, else nullopt.
  template <class Work>
  boost::asio::awaitable<std::optional<std::invoke_result_t<Work>>> run_if_room(Work work) {
    std::optional<std::invoke_result_t<Work>> result;
    Place place(at_hand_);
    if (place.taken_before() >= most_) co_return result;
    const std::function<void()> job = [&] { result.emplace(work()); };
    co_await run_there(job, place);
    co_return result;
  }

 private:
  // A place among the work at hand, until it is given up. It is given up when the work is done and
  // not when the caller goes on, and when the work never began, for want of memory.
  class Place {
   public:
    explicit Place(std::atomic<std::size_t>& at_hand)
        : at_hand_(&at_hand), taken_before_(at_hand++) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { give_up(); }
    std::size_t taken_before() const { return taken_before_; }
    void give_up() {
      if (at_hand_ != nullptr) --*at_hand_;
      at_hand_ = nullptr;
    }

   private:
    std::atomic<std::size_t>* at_hand_;
    std::size_t taken_before_;
  };
  // Both live until the caller goes on.
  boost::asio::awaitable<void> run_there(const std::function<void()>& work, Place& place);

  const std::size_t most_;
  std::atomic<std::size_t> at_hand_{0};  // waits or runs
  boost::asio::thread_pool pool_;
};

// What the server has of them. Each kind of work waits for its own kind alone.
struct Workers {
  WorkerPool general{4};             // operators' commands, housekeeping
  WorkerPool attestations{2, 1024};  // those that write before they are answered
  WorkerPool files{2};               // the bodies of uploads on their way to the disk
  WorkerPool slow{2, 8};             // packages and replays: seconds each

  bool idle() const { return general.idle() && attestations.idle() && files.idle() && slow.idle(); }
  void join() {
    general.join();
    attestations.join();
    files.join();
    slow.join();
  }
};

}  // namespace touchmark::verifier::http
