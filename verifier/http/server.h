// Listens, serves each connection, and stops without dropping a request in flight.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "verifier/http/connection.h"

namespace touchmark::verifier::http {

enum class ServerError {
  kBadAddress,    // the address to listen on is not an IP address of this machine
  kAddressInUse,  // another process has the port
  kNotAllowed,    // a port that this user may not take
  kListen,
};
std::string_view error_id(ServerError error);

// A bound and listening socket. `address`: an IP address; port 0: any free one.
Result<boost::asio::ip::tcp::acceptor> listen_on(boost::asio::io_context& io,
                                                 const std::string& address, std::uint16_t port);

// A socket that another program bound and listens on. Owns `descriptor` from now on.
Result<boost::asio::ip::tcp::acceptor> adopt_listener(boost::asio::io_context& io, int descriptor);

struct ServerSettings {
  std::size_t max_connections = 4096;
  std::size_t max_admin_connections = 256;  // at the port of listen_for_admins()
  ProtectionSettings protection;
  std::chrono::seconds grace{10};         // for requests in flight when it stops
  std::chrono::seconds arrival_grace{2};  // of these, for a request that is still to come
  std::chrono::seconds housekeeping_every{5};
};

// Runs `io` on this thread until it is stopped. What a handler throws is logged ("handler.failed")
// and ends that handler alone. Throws nothing itself.
void run_until_stopped(boost::asio::io_context& io, Log& log) noexcept;

class Server {
 public:
  // `housekeep` runs on a worker every few seconds, and once more after the last connection ended.
  // What it throws is logged, and it runs again.
  Server(boost::asio::io_context& io, boost::asio::ip::tcp::acceptor acceptor,
         ConnectionContext context, ServerSettings settings, std::function<void()> housekeep);
  ~Server();

  // One more address where the same is served. Before start().
  void listen_also(boost::asio::ip::tcp::acceptor acceptor);
  // Operators have a port of their own, and are not met at the other one any longer. Before
  // start().
  void listen_for_admins(boost::asio::ip::tcp::acceptor acceptor);
  // Starts to accept. The caller runs the io_context on as many threads as it likes
  // (run_until_stopped()); it is stopped after stop().
  void start();
  // Accepts no more; connections between two requests end at once, others after their answer, new
  // ones that send nothing after the grace for arrivals, all after the grace.
  // From any thread.
  void stop();
  std::size_t connections() const;

 private:
  boost::asio::awaitable<void> accept_loop(boost::asio::ip::tcp::acceptor& acceptor,
                                           Listener listener);
  // Takes what has come, and gives for how long to wait before the next.
  boost::asio::awaitable<std::chrono::milliseconds> accept_some(
      boost::asio::ip::tcp::acceptor& acceptor, Listener listener);
  boost::asio::awaitable<void> housekeeping_loop();
  boost::asio::awaitable<void> wind_down();
  boost::asio::awaitable<void> end_connections();
  void tell_connections(void (HttpConnection::*what)());
  boost::asio::awaitable<void> wait_for_connections(std::chrono::seconds longest);
  boost::asio::awaitable<void> housekeep();
  void start_connection(boost::asio::ip::tcp::socket socket, Listener listener);
  ConnectionTable& table(Listener listener);
  void tell_pressure();
  void end_connection(HttpConnection& connection, const std::exception_ptr& exception);

  boost::asio::io_context& io_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  std::deque<boost::asio::ip::tcp::acceptor> acceptors_;  // stay where they are
  std::optional<boost::asio::ip::tcp::acceptor> admin_acceptor_;
  ConnectionContext context_;
  ServerSettings settings_;
  struct Shared;  // with the connections
  const std::shared_ptr<Shared> shared_;
  std::function<void()> housekeep_;
  bool stopping_ = false;      // on the strand
  std::size_t accepting_ = 0;  // loops, on the strand

  mutable Mutex mutex_;
  std::unordered_map<HttpConnection*, std::weak_ptr<HttpConnection>> connections_
      GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
