// The least that a TLS server over Beast costs: it reads a request, looks its target up, and writes
// the answer that it was given. tests/bench/attest_cost.py holds the service against it.
//
//   bare_server THREADS TARGET=FILE...
//
// Each FILE holds a whole response of HTTP/1.1 as it was received from the service. Prints the port
// that it listens on (127.0.0.1), and ends with its input.
//
// It is what Beast's own examples of an HTTPS server are. The settings of TLS are those of
// verifier/http/tls.cc.

#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "crypto/ec_key.h"
#include "pki/server_certificate.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Response = http::response<http::string_body>;
using Answers = std::map<std::string, Response, std::less<>>;

Response read_response(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  http::response_parser<http::string_body> parser;
  boost::system::error_code error;
  parser.eager(true);
  parser.put(asio::buffer(text), error);
  if (error || !parser.is_done()) {
    std::fprintf(stderr, "bare_server: %s is no response\n", path);
    std::exit(2);
  }
  return parser.release();
}

asio::ssl::context make_context() {
  using touchmark::Seconds;
  const auto key = touchmark::crypto::EcKey::generate();
  const touchmark::UnixTime now = touchmark::SystemClock().now();
  touchmark::SystemRandom random;
  const std::string certificate =
      touchmark::pki::make_self_signed(key, {"localhost"}, now - Seconds(60), now + Seconds(86400),
                                       random)
          .value();
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.use_certificate_chain(asio::buffer(certificate));
  context.use_private_key(asio::buffer(key.private_pem()), asio::ssl::context::pem);
  SSL_CTX* raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set1_groups_list(raw, "X25519:P-256:P-384");
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

asio::awaitable<void> serve(beast::ssl_stream<beast::tcp_stream> stream, const Answers& answers) {
  auto& socket = beast::get_lowest_layer(stream);
  socket.expires_after(std::chrono::seconds(10));
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  beast::flat_buffer buffer;
  while (true) {
    socket.expires_after(std::chrono::seconds(60));
    http::request<http::string_body> request;
    co_await http::async_read(stream, buffer, request, asio::use_awaitable);
    const auto found =
        answers.find(std::string_view(request.target().data(), request.target().size()));
    if (found == answers.end()) break;
    co_await http::async_write(stream, found->second, asio::use_awaitable);
  }
}

asio::awaitable<void> accept(tcp::acceptor acceptor, asio::ssl::context& context,
                             const Answers& answers) {
  while (true) {
    tcp::socket socket = co_await acceptor.async_accept(asio::make_strand(acceptor.get_executor()),
                                                        asio::use_awaitable);
    auto executor = socket.get_executor();
    beast::ssl_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)), context);
    // A connection that ends, ends with an exception.
    asio::co_spawn(executor, serve(std::move(stream), answers), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bare_server THREADS TARGET=FILE...\n");
    return 2;
  }
  Answers answers;
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos) return 2;
    answers.emplace(argument.substr(0, equals), read_response(argv[i] + equals + 1));
  }
  const int threads = std::max(1, std::atoi(argv[1]));
  asio::ssl::context context = make_context();
  asio::io_context io(threads);
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  std::printf("%u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::co_spawn(io, accept(std::move(acceptor), context, answers), asio::detached);
  std::vector<std::jthread> pool;
  for (int i = 0; i < threads; ++i) pool.emplace_back([&io] { io.run(); });
  // Whoever started this holds the other end of the input: with them it ends.
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  io.stop();
  return 0;
}
