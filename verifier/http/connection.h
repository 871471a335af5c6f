// One connection: TLS handshake, then requests one after the other until it is closed.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "verifier/http/client_address.h"
#include "verifier/http/connection_table.h"
#include "verifier/http/log.h"
#include "verifier/http/protection.h"
#include "verifier/http/router.h"
#include "verifier/http/tls_stream.h"
#include "verifier/http/upload.h"
#include "verifier/http/worker_pool.h"

namespace touchmark::verifier::http {

struct ConnectionLimits {
  std::chrono::seconds handshake{10};
  std::chrono::seconds idle{60};      // waiting for a request
  std::chrono::seconds header{10};    // from the first byte of a request to the end of its header
  std::chrono::seconds progress{30};  // between two pieces of a body, and for an answer to be taken
  std::uint64_t body_per_second = 8 * 1024;  // bytes; what a small body may take beyond `progress`
  std::uint32_t header_bytes = 16 * 1024;
  std::uint64_t drained_bytes = 64
                                << 20;  // read and thrown away after a refusal, so that it arrives
  std::chrono::seconds drained_time{5};
};

// Who may be met at a port.
enum class Listener {
  kAll,     // apps and operators
  kApps,    // apps alone: operators have a port of their own
  kAdmins,  // that port
};

// What all connections share; outlives them.
struct ConnectionContext {
  Router& router;
  Log& log;
  Workers& workers;
  ServedTls& tls;
  std::filesystem::path upload_dir;
  ConnectionLimits limits;
  TrustedProxies proxies;
  ForwardedHeader forwarded = ForwardedHeader::kEither;
};

// Everything runs on the strand of the socket, so nothing here needs a lock.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  // `protection` keeps alive what the connection's place is in, too: what still runs when the
  // server is gone is destroyed with the io_context.
  HttpConnection(boost::asio::ip::tcp::socket socket, ConnectionContext& context,
                 std::shared_ptr<Protection> protection, Listener listener);

  boost::asio::any_io_executor executor() { return stream_.executor(); }
  const IpAddress& peer() const { return peer_; }
  bool is_proxy() const { return context_.proxies.may_speak(peer_); }
  // Before run(). end() gives the place back, after run().
  void begin(std::unique_ptr<ConnectionTable::Place> place) { place_ = std::move(place); }
  void end() { place_.reset(); }
  boost::asio::awaitable<void> run();
  // Ends the connection: at once when it waits for another request, else after the answer that its
  // client is owed, which is the first one for a connection that is new. From any thread.
  void stop();
  // The same without the answer to a request that is not here. From any thread.
  void stop_waiting();
  // The same without a goodbye, to make room for another. From any thread.
  void give_way();

 private:
  class Parser;  // of one request

  boost::asio::awaitable<bool> handshake();
  boost::asio::awaitable<bool> serve_one();
  struct HeaderRead {
    boost::system::error_code failed;  // there is nobody to answer
    std::optional<Error> refused;
  };
  boost::asio::awaitable<HeaderRead> read_header(Parser& parser);
  boost::asio::awaitable<boost::system::error_code> read_piece(Parser& parser);
  boost::asio::awaitable<boost::system::error_code> receive(Parser& parser);
  void take_rest_of_record();
  boost::asio::awaitable<HttpResponse> answer(Parser& parser);
  // What needs no route; nullopt when there is one.
  std::optional<HttpResponse> answer_without_route(const HttpRequest& request,
                                                   const Router::Match& match);
  bool is_hidden(const Router::Match& match) const;
  HttpResponse refuse_caller(const HttpRequest& request, const Error& error);
  boost::asio::awaitable<HttpResponse> answer_route(Parser& parser, const Route& route,
                                                    HttpRequest request);
  boost::asio::awaitable<HttpResponse> run(const Route& route, const HttpRequest& request);
  boost::asio::awaitable<Result<void>> read_body(Parser& parser, const Route& route,
                                                 HttpRequest& request, Upload& upload,
                                                 BodyMemory& memory);
  static bool expects_continue(const Parser& parser);
  boost::asio::awaitable<Result<void>> send_continue();
  boost::asio::awaitable<bool> send(const Parser& parser, HttpResponse response);
  boost::asio::awaitable<void> drain(Parser& parser);
  boost::asio::awaitable<void> close();
  template <class Handle, class Guarded>
  boost::asio::awaitable<HttpResponse> run_for_app(const Handle& handle, const Guarded& guarded);
  void end_wait_for_turn();
  void enter(Stage stage);
  std::chrono::seconds shortened(std::chrono::seconds normal) const;
  IpAddress client_of(const Parser& parser) const;

  ConnectionContext& context_;
  std::shared_ptr<Protection> protection_;
  const Listener listener_;
  TlsStream stream_;
  std::unique_ptr<ConnectionTable::Place> place_;
  boost::beast::flat_buffer buffer_;  // received, not parsed yet
  IpAddress peer_;
  IpAddress client_;         // of the request at hand; peer_, unless a proxy says otherwise
  std::string client_text_;  // client_, once there is a request
  std::optional<Bytes> exporter_;
  std::optional<Sha256Digest> served_key_;
  Stage stage_ = Stage::kSilent;
  std::weak_ptr<boost::asio::steady_timer> wait_for_turn_;  // of the handshake
  std::uint64_t answers_ = 0;
  std::uint64_t works_ = 0;   // requests of apps
  bool is_operator_ = false;  // an operator's token came over it
  bool gave_way_ = false;
  bool close_after_ = false;  // this answer is the last
  bool busy_ = false;         // between a request's header and its answer
  bool stopping_ = false;     // no further request, except the first
  bool abandoned_ = false;    // nor that
};

}  // namespace touchmark::verifier::http
