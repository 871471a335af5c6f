// One connection: TLS handshake, then requests one after the other until it is closed.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "verifier/http/log.h"
#include "verifier/http/router.h"
#include "verifier/http/tls_stream.h"
#include "verifier/http/upload.h"
#include "verifier/http/worker_pool.h"

namespace touchmark::verifier::http {

struct ConnectionLimits {
  std::chrono::seconds handshake{10};
  std::chrono::seconds idle{60};      // waiting for a request, its header included
  std::chrono::seconds progress{30};  // between two pieces of a body, and for an answer to be taken
  std::uint32_t header_bytes = 16 * 1024;
  std::uint64_t drained_bytes = 64
                                << 20;  // read and thrown away after a refusal, so that it arrives
  std::chrono::seconds drained_time{5};
};

// What all connections share; outlives them.
struct ConnectionContext {
  Router& router;
  Log& log;
  Workers& workers;
  boost::asio::ssl::context& tls;
  std::filesystem::path upload_dir;
  ConnectionLimits limits;
  bool trust_forwarded_for = false;
};

// Everything runs on the strand of the socket, so nothing here needs a lock.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, ConnectionContext& context);

  boost::asio::any_io_executor executor() { return stream_.executor(); }
  boost::asio::awaitable<void> run();
  // Ends the connection: at once when it waits for a request, else after the answer it works on.
  // From any thread.
  void stop();

 private:
  class Parser;  // of one request

  boost::asio::awaitable<bool> handshake();
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<boost::system::error_code> read_header(Parser& parser);
  boost::asio::awaitable<boost::system::error_code> read_piece(Parser& parser);
  boost::asio::awaitable<boost::system::error_code> receive(Parser& parser);
  boost::asio::awaitable<HttpResponse> answer(Parser& parser);
  boost::asio::awaitable<HttpResponse> answer_route(Parser& parser, const Route& route,
                                                    HttpRequest request);
  boost::asio::awaitable<HttpResponse> run(const Route& route, const HttpRequest& request);
  boost::asio::awaitable<Result<void>> read_body(Parser& parser, const Route& route,
                                                 HttpRequest& request, Upload& upload);
  boost::asio::awaitable<Result<void>> send_continue(Parser& parser);
  boost::asio::awaitable<bool> send(const Parser& parser, HttpResponse response);
  boost::asio::awaitable<void> drain(Parser& parser);
  boost::asio::awaitable<void> close();
  std::string remote_ip(const Parser& parser) const;

  ConnectionContext& context_;
  TlsStream stream_;
  boost::beast::flat_buffer buffer_;  // received, not parsed yet
  std::string peer_;
  std::optional<Bytes> exporter_;
  bool busy_ = false;      // between a request's header and its answer
  bool stopping_ = false;  // no further request
};

}  // namespace touchmark::verifier::http
