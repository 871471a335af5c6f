// What all connections of the gateway share, and what each thread has of its own. For this folder
// alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relying-party/cpp/guard.h"
#include "relying-party/gateway/options.h"
#include "verifier/http/log.h"
#include "verifier/http/worker_pool.h"

namespace touchmark::relying::gateway {

using Socket = boost::asio::generic::stream_protocol::socket;
using SteadyTime = std::chrono::steady_clock::time_point;

// Bytes that were received and not used yet, in one block that grows up to what its reader allows.
class Buffer {
 public:
  std::string_view view() const { return {memory_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Room for the next bytes, so that the buffer holds `most` in all.
  std::span<char> room(std::size_t most) {
    if (begin_ > 0 && end_ == memory_.size()) {
      std::copy(memory_.begin() + static_cast<std::ptrdiff_t>(begin_), memory_.end(),
                memory_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == memory_.size()) {
      memory_.resize(std::min(std::max(kFirst, memory_.size() * 2), std::max(most, kFirst)));
    }
    return std::span(memory_).subspan(end_);
  }
  void add(std::size_t count) { end_ += count; }

 private:
  static constexpr std::size_t kFirst = 8 * 1024;
  std::vector<char> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

struct UpstreamConnection {
  explicit UpstreamConnection(Socket connected) : socket(std::move(connected)) {}
  Socket socket;
  Buffer buffer;
  SteadyTime idle_since{};
  bool may_be_kept = false;  // after the answer at hand
};

class Connection;

// One thread: its connections, and the connections to upstreams that it keeps.
struct Thread {
  boost::asio::io_context io{1};
  std::list<std::weak_ptr<Connection>> connections;
  std::vector<std::vector<std::shared_ptr<UpstreamConnection>>> idle;  // as Plan::upstreams
  SteadyTime now = std::chrono::steady_clock::now();                   // exact to a tick
};

struct RouteMatch {
  RouteId route = 0;
  std::size_t upstream = 0;
};

// Outlives the connections.
struct Shared {
  const Plan& plan;
  verifier::http::Log& log;
  Guard& guard;
  verifier::http::WorkerPool& waiting;  // for stores that let one wait
  std::vector<RouteId> routes;          // as Plan::rules
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> stopping{false};
  // What the gateway counts beside the guard.
  std::atomic<std::uint64_t> refused_paths{0};
  std::atomic<std::uint64_t> bad_requests{0};
  std::atomic<std::uint64_t> upstream_failures{0};

  // nullopt: the path fits a rule in another case alone.
  std::optional<RouteMatch> match(std::string_view path) const;
};

}  // namespace touchmark::relying::gateway
