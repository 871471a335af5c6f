#include "relying-party/gateway/gateway.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <deque>
#include <thread>

#include "relying-party/gateway/connection.h"
#include "verifier/http/awaitable.h"
#include "verifier/http/server.h"

namespace touchmark::relying::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using verifier::http::kAsTuple;
using Local = asio::local::stream_protocol;

namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{20};
constexpr std::size_t kStoreThreads = 16;
constexpr std::chrono::seconds kSummaryEvery{300};

tl::unexpected<Error> cannot_listen(const Address& address, const std::string& why) {
  return fail(verifier::http::ServerError::kListen,
              "cannot listen on " + to_string(address) + ": " + why);
}

// A socket that a gateway which is gone has left behind is removed; one that somebody serves is
// not.
Result<Local::acceptor> listen_locally(asio::io_context& io, const Address& address) {
  boost::system::error_code error;
  const Local::endpoint endpoint(address.path);
  struct stat found {};
  if (::lstat(address.path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return cannot_listen(address, "a file of that name is there");
    Local::socket probe(io);
    probe.connect(endpoint, error);
    if (!error) {
      return fail(verifier::http::ServerError::kAddressInUse,
                  "another process listens on " + to_string(address));
    }
    ::unlink(address.path.c_str());
  }
  Local::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(address, error.message());
  return acceptor;
}

class Running final : public Gateway {
 public:
  Running(Plan plan, std::unique_ptr<verifier::http::Log> log)
      : plan_(std::move(plan)), log_(std::move(log)) {}
  ~Running() override {
    for (const std::string& path : sockets_) ::unlink(path.c_str());
  }

  Result<void> start() {
    Guard::Surroundings surroundings;
    surroundings.said = [this](const Error& error) {
      log_->client(verifier::http::LogLevel::kWarning, "check.source_failed",
                   {{"error", error.text()}});
    };
    auto guard = Guard::make(plan_.check, std::move(surroundings));
    if (!guard) return pass(guard);
    guard_ = std::move(*guard);
    shared_ = std::make_unique<Shared>(plan_, *log_, *guard_, waiting_);
    for (const Rule& rule : plan_.rules) shared_->routes.push_back(guard_->add_route(rule.route));
    for (unsigned i = 0; i < plan_.threads; ++i) {
      threads_.emplace_back().idle.resize(plan_.upstreams.size());
    }
    for (const Address& address : plan_.listen) {
      if (auto ok = listen(address, Listener::kProxy); !ok) return ok;
    }
    for (const Address& address : plan_.decision_listen) {
      if (auto ok = listen(address, Listener::kDecisions); !ok) return ok;
    }
    if (plan_.metrics_listen) return listen(*plan_.metrics_listen, Listener::kMetrics);
    return {};
  }

  const std::vector<Listening>& listening() const override { return listening_; }

  void run() override {
    for (Thread& thread : threads_) asio::co_spawn(thread.io, tick_loop(thread), asio::detached);
    asio::co_spawn(threads_.front().io, summary_loop(), asio::detached);
    asio::signal_set signals(threads_.front().io, SIGTERM, SIGINT);
    signals.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) stop();
    });
    asio::signal_set reload(threads_.front().io, SIGHUP);
    asio::co_spawn(threads_.front().io, reload_loop(reload), asio::detached);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads_.size(); ++i) {
      others.emplace_back([this, i] { verifier::http::run_until_stopped(threads_[i].io, *log_); });
    }
    verifier::http::run_until_stopped(threads_.front().io, *log_);
    others.clear();
    waiting_.join();
    log_->info("stopped", {{"summary", guard_->summary()}});
  }

  void stop() override {
    asio::post(threads_.front().io, [this] {
      if (shared_->stopping.exchange(true)) return;
      log_->info("stopping", Json::object());
      for (auto& acceptor : tcp_acceptors_) acceptor.close();
      for (auto& acceptor : local_acceptors_) acceptor.close();
      asio::co_spawn(threads_.front().io, wind_down(), asio::detached);
    });
  }

 private:
  Result<void> listen(const Address& address, Listener listener) {
    const char* what = listener == Listener::kProxy       ? "proxy"
                       : listener == Listener::kDecisions ? "decisions"
                                                          : "metrics";
    asio::io_context& io = threads_.front().io;
    if (!address.path.empty()) {
      auto acceptor = listen_locally(io, address);
      if (!acceptor) return pass(acceptor);
      sockets_.push_back(address.path);
      local_acceptors_.push_back(std::move(*acceptor));
      asio::co_spawn(io, accept_loop(local_acceptors_.back(), listener), asio::detached);
      listening_.push_back({what, address});
      return {};
    }
    auto acceptor = verifier::http::listen_on(io, address.host, address.port);
    if (!acceptor) return pass(acceptor);
    tcp_acceptors_.push_back(std::move(*acceptor));
    asio::co_spawn(io, accept_loop(tcp_acceptors_.back(), listener), asio::detached);
    const auto endpoint = tcp_acceptors_.back().local_endpoint();
    listening_.push_back({what, {address.host, endpoint.port(), {}}});
    return {};
  }

  static verifier::http::IpAddress peer_of(const tcp::socket& socket) {
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? verifier::http::IpAddress() : verifier::http::plain_address(endpoint.address());
  }
  // Who connects by a unix socket is on this machine.
  static verifier::http::IpAddress peer_of(const Local::socket&) {
    return asio::ip::address_v4::loopback();
  }
  static void prepare(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
  }
  static void prepare(Local::socket&) {}

  template <class Acceptor>
  asio::awaitable<void> accept_loop(Acceptor& acceptor, Listener listener) {
    asio::steady_timer pause(threads_.front().io);
    for (std::size_t turn = 0; !shared_->stopping; ++turn) {
      Thread& thread = threads_[turn % threads_.size()];
      auto [error, socket] =
          co_await acceptor.async_accept(asio::any_io_executor(thread.io.get_executor()), kAsTuple);
      if (shared_->stopping) co_return;
      if (error) {
        if (error == asio::error::connection_aborted) continue;
        // Out of descriptors, as a rule: one that ends makes room.
        log_->client(verifier::http::LogLevel::kWarning, "accept.failed",
                     {{"error", error.message()}});
        pause.expires_after(kPauseWithoutDescriptors);
        co_await pause.async_wait(kAsTuple);
        continue;
      }
      if (shared_->connections.fetch_add(1) >= plan_.max_connections) {
        --shared_->connections;
        log_->client(verifier::http::LogLevel::kWarning, "connections.full",
                     {{"max_connections", plan_.max_connections}});
        continue;  // closed as it goes
      }
      prepare(socket);
      const auto peer = peer_of(socket);
      asio::post(thread.io, [this, &thread, peer, listener, socket = std::move(socket)]() mutable {
        const auto connection = std::make_shared<Connection>(Socket(std::move(socket)), peer,
                                                             listener, *shared_, thread);
        asio::co_spawn(thread.io, connection->run(), [this, connection](std::exception_ptr failed) {
          if (failed)
            log_->client(verifier::http::LogLevel::kError, "connection.failed", Json::object());
        });
      });
    }
  }

  asio::awaitable<void> tick_loop(Thread& thread) {
    asio::steady_timer timer(thread.io);
    while (true) {
      timer.expires_after(kTick);
      const auto [error] = co_await timer.async_wait(kAsTuple);
      if (error) co_return;
      thread.now = std::chrono::steady_clock::now();
      for_each(thread, &Connection::tick);
      if (shared_->stopping) for_each(thread, &Connection::stop);
    }
  }

  static void for_each(Thread& thread, void (Connection::*what)()) {
    // A connection that ends here leaves the list by itself.
    const std::list<std::weak_ptr<Connection>> all = thread.connections;
    for (const auto& weak : all) {
      if (const auto connection = weak.lock()) (*connection.*what)();
    }
  }

  asio::awaitable<void> summary_loop() {
    asio::steady_timer timer(threads_.front().io);
    std::string said = guard_->summary();
    while (true) {
      timer.expires_after(kSummaryEvery);
      const auto [error] = co_await timer.async_wait(kAsTuple);
      if (error) co_return;
      log_->report_dropped();
      std::string summary = guard_->summary();
      if (summary == said) continue;
      log_->info("summary", {{"summary", summary}});
      said = std::move(summary);
    }
  }

  asio::awaitable<void> reload_loop(asio::signal_set& signals) {
    while (true) {
      const auto [error, signal] = co_await signals.async_wait(kAsTuple);
      if (error) co_return;
      if (auto ok = log_->reopen(); !ok) {
        log_->error("log.reopen_failed", {{"error", ok.error().text()}});
      }
    }
  }

  asio::awaitable<void> wind_down() {
    const auto deadline = std::chrono::steady_clock::now() + plan_.limits.drain;
    asio::steady_timer timer(threads_.front().io);
    while (shared_->connections > 0 && std::chrono::steady_clock::now() < deadline) {
      timer.expires_after(std::chrono::milliseconds(20));
      co_await timer.async_wait(kAsTuple);
    }
    if (shared_->connections > 0) {
      log_->warning("stop.connections_dropped", {{"count", shared_->connections.load()}});
    }
    for (Thread& thread : threads_) thread.io.stop();
  }

  const Plan plan_;
  const std::unique_ptr<verifier::http::Log> log_;
  verifier::http::WorkerPool waiting_{kStoreThreads};
  // Whoever waits for a reading of keys is told through the threads, so they outlive the guard; the
  // connections in them count in what is shared, which outlives them.
  std::unique_ptr<Shared> shared_;
  std::deque<Thread> threads_;
  std::unique_ptr<Guard> guard_;
  std::deque<tcp::acceptor> tcp_acceptors_;
  std::deque<Local::acceptor> local_acceptors_;
  std::vector<std::string> sockets_;
  std::vector<Listening> listening_;
};

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(Plan plan,
                                                std::unique_ptr<verifier::http::Log> log) {
  auto out = std::make_unique<Running>(std::move(plan), std::move(log));
  if (auto ok = out->start(); !ok) return pass(ok);
  return std::unique_ptr<Gateway>(std::move(out));
}

}  // namespace touchmark::relying::gateway
