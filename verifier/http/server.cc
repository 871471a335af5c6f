#include "verifier/http/server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "verifier/http/awaitable.h"

namespace touchmark::verifier::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

using DeferAccept = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_DEFER_ACCEPT>;
constexpr int kSilentSeconds = 5;

// Taken at one go, so that a flood of connections does not keep those behind it waiting for turns.
constexpr int kAcceptedAtOnce = 64;
// Connections that gave way and are not gone yet; the descriptors that are kept free bear them.
constexpr std::size_t kMostLeaving = 48;

TableLimits client_limits(std::size_t most) {
  // Half of all for one address: behind a carrier's NAT it is many phones.
  return {most, std::min<std::size_t>(64, most / 8), std::max<std::size_t>(8, most / 2)};
}

// In a handler of exceptions: logs what was thrown; with no memory even for that, nothing.
void tell_thrown(Log& log, std::string_view event) noexcept {
  try {
    std::string what = "not a std::exception";
    try {
      throw;
    } catch (const std::exception& failure) {
      what = failure.what();
    } catch (...) {
    }
    log.client(LogLevel::kError, event, {{"error", what}});
  } catch (...) {
  }
}

}  // namespace

std::string_view error_id(ServerError error) {
  using enum ServerError;
  static constexpr auto kIds = error_table<ServerError>({
      {kBadAddress, "server.bad-address"},
      {kAddressInUse, "server.address-in-use"},
      {kNotAllowed, "server.not-allowed"},
      {kListen, "server.listen"},
  });
  return kIds[error];
}

Result<tcp::acceptor> listen_on(asio::io_context& io, const std::string& address,
                                std::uint16_t port) {
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return fail(ServerError::kBadAddress, "\"" + address + "\" is not an IP address");
  const tcp::endpoint endpoint(ip, port);
  const std::string where = address + ":" + std::to_string(port);
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), error);
  // "::" means every address, IPv4 included, whatever the system's default.
  if (!error && ip.is_v6() && ip.is_unspecified()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  // Without it a restarted service would wait for the old one's connections to be forgotten.
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  // TLS clients speak first: who says nothing is the kernel's to hold, and costs no descriptor.
  if (!error) acceptor.set_option(DeferAccept(kSilentSeconds), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return acceptor;
  if (error == asio::error::address_in_use) {
    return fail(ServerError::kAddressInUse, where + " is in use by another process");
  }
  if (error == asio::error::access_denied) {
    return fail(ServerError::kNotAllowed, "this user may not listen on " + where);
  }
  if (error == boost::system::errc::address_not_available) {
    return fail(ServerError::kBadAddress, address + " is not an address of this machine");
  }
  return fail(ServerError::kListen, where + ": " + error.message());
}

Result<tcp::acceptor> adopt_listener(asio::io_context& io, int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  error_code error;
  tcp::acceptor acceptor(io);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) {
    acceptor.assign(bound.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, error);
  }
  if (!error) acceptor.set_option(DeferAccept(kSilentSeconds), error);
  if (!error) return acceptor;
  return fail(ServerError::kListen, "a socket that was handed over: " + error.message());
}

void run_until_stopped(asio::io_context& io, Log& log) noexcept {
  for (;;) {
    try {
      io.run();
      return;
    } catch (...) {
      tell_thrown(log, "handler.failed");
    }
  }
}

struct Server::Shared {
  explicit Shared(const ServerSettings& settings)
      : protection(settings.protection),
        clients(client_limits(settings.max_connections), protection.unearned),
        admins({settings.max_admin_connections, 0, 0}, protection.unearned) {}

  Protection protection;
  ConnectionTable clients;
  ConnectionTable admins;
};

Server::Server(asio::io_context& io, tcp::acceptor acceptor, ConnectionContext context,
               ServerSettings settings, std::function<void()> housekeep)
    : io_(io),
      strand_(asio::make_strand(io)),
      context_(std::move(context)),
      settings_(settings),
      shared_(std::make_shared<Shared>(settings)),
      housekeep_(std::move(housekeep)) {
  acceptors_.push_back(std::move(acceptor));
}

Server::~Server() = default;

ConnectionTable& Server::table(Listener listener) {
  return listener == Listener::kAdmins ? shared_->admins : shared_->clients;
}

void Server::listen_also(tcp::acceptor acceptor) { acceptors_.push_back(std::move(acceptor)); }

void Server::listen_for_admins(tcp::acceptor acceptor) {
  admin_acceptor_.emplace(std::move(acceptor));
}

void Server::start() {
  const Listener listener = admin_acceptor_ ? Listener::kApps : Listener::kAll;
  const auto accept = [this](tcp::acceptor& acceptor, Listener from) {
    ++accepting_;
    asio::co_spawn(strand_, accept_loop(acceptor, from), [this](const auto&) { --accepting_; });
  };
  for (tcp::acceptor& acceptor : acceptors_) accept(acceptor, listener);
  if (admin_acceptor_) accept(*admin_acceptor_, Listener::kAdmins);
  asio::co_spawn(strand_, housekeeping_loop(), asio::detached);
}

void Server::stop() {
  asio::post(strand_, [this] {
    if (stopping_) return;
    stopping_ = true;
    error_code ignored;
    for (tcp::acceptor& acceptor : acceptors_) acceptor.close(ignored);
    if (admin_acceptor_) admin_acceptor_->close(ignored);
    asio::co_spawn(strand_, wind_down(), asio::detached);
  });
}

std::size_t Server::connections() const {
  const MutexLock lock(mutex_);
  return connections_.size();
}

// What is thrown in here, for want of memory as a rule, ends neither the loop nor the service.
asio::awaitable<void> Server::accept_loop(tcp::acceptor& acceptor, Listener listener) {
  error_code ignored;
  acceptor.non_blocking(true, ignored);
  asio::steady_timer pause(strand_);
  while (!stopping_) {
    milliseconds wait{20};
    try {
      wait = co_await accept_some(acceptor, listener);
    } catch (...) {
      tell_thrown(context_.log, "accept.failed");
    }
    if (wait == milliseconds(0)) continue;
    pause.expires_after(wait);
    co_await pause.async_wait(kAsTuple);
  }
}

asio::awaitable<milliseconds> Server::accept_some(tcp::acceptor& acceptor, Listener listener) {
  constexpr milliseconds kAtOnce{0};
  // Each connection has a strand of its own.
  auto [error, socket] = co_await acceptor.async_accept(asio::make_strand(io_), kAsTuple);
  for (int taken = 0; !error; ++taken) {
    // Also when it stops: the client knows of this connection already, and of no other service.
    try {
      start_connection(std::move(socket), listener);
    } catch (...) {
      // No memory for one connection must not keep those that follow waiting.
      tell_thrown(context_.log, "accept.failed");
    }
    if (stopping_ || taken >= kAcceptedAtOnce || table(listener).leaving() > kMostLeaving) break;
    socket = acceptor.accept(asio::make_strand(io_), error);
  }
  if (stopping_) co_return kAtOnce;
  if (error && error != asio::error::would_block && error != asio::error::connection_aborted) {
    // Out of descriptors, as a rule: one that waits makes room, or one that ends.
    context_.log.client(LogLevel::kWarning, "accept.failed", {{"error", error.message()}});
    table(listener).evict_one();
    co_return milliseconds(20);
  }
  if (table(listener).leaving() <= kMostLeaving) co_return kAtOnce;
  co_return milliseconds(error ? 20 : 1);
}

void Server::start_connection(tcp::socket socket, Listener listener) {
  auto connection = std::make_shared<HttpConnection>(
      std::move(socket), context_, std::shared_ptr<Protection>(shared_, &shared_->protection),
      listener);
  auto place = table(listener).admit(AddressKey(connection->peer()), connection->is_proxy(),
                                     [this, weak = std::weak_ptr(connection)] {
                                       ++shared_->protection.gave_way;
                                       if (const auto one = weak.lock()) one->give_way();
                                     });
  if (!place) {
    ++shared_->protection.no_place;
    return;
  }
  connection->begin(std::move(place));
  {
    const MutexLock lock(mutex_);
    connections_.emplace(connection.get(), connection);
  }
  asio::co_spawn(
      connection->executor(), [connection] { return connection->run(); },
      [this, connection](const std::exception_ptr& exception) {
        end_connection(*connection, exception);
      });
}

void Server::tell_pressure() {
  const std::uint64_t gave_way = shared_->protection.gave_way.exchange(0);
  const std::uint64_t no_place = shared_->protection.no_place.exchange(0);
  const std::uint64_t sent_away = shared_->protection.sent_away.exchange(0);
  if (gave_way + no_place + sent_away == 0) return;
  context_.log.warning("pressure", {{"connections", connections()},
                                    {"gave_way", gave_way},
                                    {"no_place", no_place},
                                    {"answered_503", sent_away}});
}

void Server::end_connection(HttpConnection& connection, const std::exception_ptr& exception) {
  connection.end();
  {
    const MutexLock lock(mutex_);
    connections_.erase(&connection);
  }
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (...) {
    tell_thrown(context_.log, "connection.failed");
  }
}

asio::awaitable<void> Server::housekeeping_loop() {
  asio::steady_timer timer(strand_);
  while (!stopping_) {
    timer.expires_after(settings_.housekeeping_every);
    co_await timer.async_wait(kAsTuple);
    if (stopping_) co_return;
    try {
      tell_pressure();
      context_.tls.housekeep();
      context_.log.report_dropped();
    } catch (...) {
      tell_thrown(context_.log, "housekeeping.failed");
    }
    co_await housekeep();
  }
}

asio::awaitable<void> Server::housekeep() {
  try {
    co_await context_.workers.general.run([this] {
      housekeep_();
      return true;
    });
  } catch (...) {
    tell_thrown(context_.log, "housekeeping.failed");
  }
}

asio::awaitable<void> Server::wind_down() {
  try {
    co_await end_connections();
  } catch (...) {
    tell_thrown(context_.log, "stop.failed");
  }
  co_await housekeep();
  io_.stop();
}

void Server::tell_connections(void (HttpConnection::*what)()) {
  const MutexLock lock(mutex_);
  for (const auto& [raw, weak] : connections_) {
    if (const auto connection = weak.lock()) (*connection.*what)();
  }
}

asio::awaitable<void> Server::wait_for_connections(std::chrono::seconds longest) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  asio::steady_timer timer(strand_);
  while (connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    timer.expires_after(milliseconds(10));
    co_await timer.async_wait(kAsTuple);
  }
}

asio::awaitable<void> Server::end_connections() {
  // What was accepted at the last moment has its loop's end before it.
  asio::steady_timer timer(strand_);
  while (accepting_ > 0) {
    timer.expires_after(milliseconds(1));
    co_await timer.async_wait(kAsTuple);
  }
  const auto arrivals = std::min(settings_.arrival_grace, settings_.grace);
  tell_connections(&HttpConnection::stop);
  co_await wait_for_connections(arrivals);
  tell_connections(&HttpConnection::stop_waiting);
  co_await wait_for_connections(settings_.grace - arrivals);
  if (const std::size_t left = connections(); left > 0) {
    context_.log.warning("stop.connections_dropped", {{"count", left}});
  }
}

}  // namespace touchmark::verifier::http
