#include "verifier/http/server.h"

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

Server::Server(asio::io_context& io, tcp::acceptor acceptor, ConnectionContext context,
               ServerSettings settings, std::function<void()> housekeep)
    : io_(io),
      strand_(asio::make_strand(io)),
      acceptor_(std::move(acceptor)),
      context_(std::move(context)),
      settings_(settings),
      housekeep_(std::move(housekeep)) {}

void Server::start() {
  asio::co_spawn(strand_, accept_loop(), asio::detached);
  asio::co_spawn(strand_, housekeeping_loop(), asio::detached);
}

void Server::stop() {
  asio::post(strand_, [this] {
    if (stopping_) return;
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    asio::co_spawn(strand_, wind_down(), asio::detached);
  });
}

std::size_t Server::connections() const {
  const MutexLock lock(mutex_);
  return connections_.size();
}

asio::awaitable<void> Server::accept_loop() {
  while (!stopping_) {
    // Each connection has a strand of its own.
    auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(io_), kAsTuple);
    if (stopping_) co_return;
    if (error) {
      // Out of descriptors, as a rule: connections that end make room.
      context_.log.warning("accept.failed", {{"error", error.message()}});
      asio::steady_timer pause(strand_, milliseconds(100));
      co_await pause.async_wait(kAsTuple);
      continue;
    }
    try {
      start_connection(std::move(socket));
    } catch (const std::exception& failure) {
      // No memory for one connection must not end the loop for all that follow.
      context_.log.error("accept.failed", {{"error", failure.what()}});
    }
  }
}

void Server::start_connection(tcp::socket socket) {
  if (connections() >= settings_.max_connections) {
    context_.log.warning("connection.refused", {{"reason", "too many connections"}});
    return;
  }
  auto connection = std::make_shared<HttpConnection>(std::move(socket), context_);
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

void Server::end_connection(HttpConnection& connection, const std::exception_ptr& exception) {
  {
    const MutexLock lock(mutex_);
    connections_.erase(&connection);
  }
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& failure) {
    context_.log.error("connection.failed", {{"error", failure.what()}});
  }
}

asio::awaitable<void> Server::housekeeping_loop() {
  asio::steady_timer timer(strand_);
  while (!stopping_) {
    timer.expires_after(settings_.housekeeping_every);
    co_await timer.async_wait(kAsTuple);
    if (stopping_) co_return;
    co_await housekeep();
  }
}

asio::awaitable<void> Server::housekeep() {
  co_await context_.workers.general.run([this] {
    try {
      housekeep_();
    } catch (const std::exception& failure) {
      context_.log.error("housekeeping.failed", {{"error", failure.what()}});
    }
    return true;
  });
}

asio::awaitable<void> Server::wind_down() {
  {
    const MutexLock lock(mutex_);
    for (const auto& [raw, weak] : connections_) {
      if (const auto connection = weak.lock()) connection->stop();
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + settings_.grace;
  asio::steady_timer timer(strand_);
  while (connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    timer.expires_after(milliseconds(10));
    co_await timer.async_wait(kAsTuple);
  }
  if (const std::size_t left = connections(); left > 0) {
    context_.log.warning("stop.connections_dropped", {{"count", left}});
  }
  co_await housekeep();
  io_.stop();
}

}  // namespace touchmark::verifier::http
