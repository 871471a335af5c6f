#include "verifier/http/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "verifier/http/problem.h"
#include "verifier/http/tls.h"

namespace touchmark::verifier::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kSlowestBytesPerSecond = 16 * 1024;

// An IPv4 client on an IPv6 socket is shown as IPv4.
std::string address_text(asio::ip::address address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

// Path and query of a request target; false when it is not in origin form (RFC 9112 section 3.2.1).
bool read_target(std::string_view target, HttpRequest& request) {
  const auto parsed = boost::urls::parse_origin_form(target);
  if (!parsed) return false;
  request.path = parsed->path();
  for (const auto& parameter : parsed->params()) {
    request.query.emplace(parameter.key, parameter.value);
  }
  return true;
}

// For what can still be answered: a connection whose time is over is closed already.
Error transport_error(const error_code& code) { return {HttpError::kMalformed, code.message()}; }

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, ConnectionContext& context)
    : context_(context),
      stream_(std::move(socket), context.tls),
      buffer_(context.limits.header_bytes + kPieceBytes) {
  error_code error;
  const auto endpoint = beast::get_lowest_layer(stream_).socket().remote_endpoint(error);
  if (!error) peer_ = address_text(endpoint.address());
}

void HttpConnection::stop() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    if (!self->busy_) beast::get_lowest_layer(self->stream_).cancel();
  });
}

asio::awaitable<void> HttpConnection::run() {
  const bool ready = co_await handshake();
  if (!ready) co_return;
  bool more = true;
  while (more) more = co_await serve_one();
  co_await close();
}

asio::awaitable<bool> HttpConnection::handshake() {
  beast::get_lowest_layer(stream_).expires_after(context_.limits.handshake);
  const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAsTuple);
  if (error) co_return false;
  exporter_ = channel_binding(stream_.native_handle());
  if (!exporter_) {
    context_.log.warning(
        "connection.refused",
        {{"remote_ip", peer_}, {"reason", "TLS 1.2 without extended master secret"}});
    co_return false;
  }
  co_return true;
}

// False when the connection is to be closed.
asio::awaitable<bool> HttpConnection::serve_one() {
  if (stopping_) co_return false;
  Parser parser;
  parser.header_limit(context_.limits.header_bytes);
  parser.body_limit(boost::none);  // read_body() counts against the route's own bound
  beast::get_lowest_layer(stream_).expires_after(context_.limits.idle);
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kAsTuple);
  // Closed, idle for too long, or told to stop: there is nobody to answer.
  if (error == http::error::end_of_stream || error == beast::error::timeout ||
      error == asio::error::operation_aborted || error == asio::ssl::error::stream_truncated) {
    co_return false;
  }
  busy_ = true;
  HttpResponse response;
  if (error) {
    response = problem(transport_error(error));
    response.headers.emplace_back("Connection", "close");
    co_await send(parser, std::move(response));
    co_return false;
  }
  response = co_await answer(parser);
  const bool body_left = !parser.is_done();
  const bool keep = parser.keep_alive() && !body_left && !stopping_;
  if (!keep) response.headers.emplace_back("Connection", "close");
  const bool sent = co_await send(parser, std::move(response));
  if (sent && body_left) co_await drain(parser);
  busy_ = false;
  co_return sent&& keep;
}

asio::awaitable<HttpResponse> HttpConnection::answer(Parser& parser) {
  const auto& header = parser.get();
  HttpRequest request;
  request.method = std::string(header.method_string());
  request.connection = {remote_ip(parser), exporter_};
  if (!read_target(header.target(), request)) {
    co_return problem(Error(HttpError::kMalformed, "the request target is not a path"));
  }
  const Router::Match match = context_.router.find(request.method, request.path);
  if (match.route == nullptr) {
    if (match.path_known) {
      co_return problem(
          Error(HttpError::kWrongMethod, request.method + " is not a method of " + request.path));
    }
    co_return problem(Error(HttpError::kNotFound, "there is nothing at " + request.path));
  }
  request.argument = match.argument;
  auto caller = context_.router.authorize(*match.route, header[http::field::authorization]);
  if (!caller) {
    context_.log.warning("admin.refused", {{"remote_ip", request.connection.remote_ip},
                                           {"method", request.method},
                                           {"path", request.path},
                                           {"error", caller.error().id()}});
    co_return problem(caller.error());
  }
  request.caller = std::move(*caller);
  co_return co_await answer_route(parser, *match.route, std::move(request));
}

asio::awaitable<HttpResponse> HttpConnection::answer_route(Parser& parser, const Route& route,
                                                           HttpRequest request) {
  Upload upload;
  auto read = co_await read_body(parser, route, request, upload);
  if (!read) co_return problem(read.error());
  if (route.upload) request.upload_path = upload.path().string();
  const auto handle = [&]() -> HttpResponse {
    try {
      return route.handle(request);
    } catch (const std::exception& error) {
      // Memory, or a defect: this request fails, the service goes on.
      context_.log.error("internal", {{"path", request.path}, {"error", error.what()}});
      return problem(Error(HttpError::kInternal, "the service failed; its log says more"));
    }
  };
  if (route.run_on == RunOn::kIo) co_return handle();
  co_return co_await context_.workers.run(handle);
}

asio::awaitable<Result<void>> HttpConnection::read_body(Parser& parser, const Route& route,
                                                        HttpRequest& request, Upload& upload) {
  const auto too_large = [&] {
    return fail(HttpError::kTooLarge,
                "the body is over " + std::to_string(route.max_body) + " bytes");
  };
  const auto length = parser.content_length();
  if (length && *length > route.max_body) co_return too_large();
  if (route.upload) {
    const auto create = [&] {
      return std::make_shared<Result<Upload>>(Upload::create(context_.upload_dir));
    };
    const auto created = co_await context_.workers.run(create);
    if (!*created) co_return pass(*created);
    upload = std::move(**created);
  }
  auto continued = co_await send_continue(parser);
  if (!continued) co_return continued;

  Bytes piece(kPieceBytes);
  std::uint64_t total = 0;
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    // A read ends when the piece is full: one byte over the bound is enough to know.
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), route.max_body - total + 1));
    body.data = piece.data();
    body.size = wanted;
    beast::get_lowest_layer(stream_).expires_after(context_.limits.progress);
    const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kAsTuple);
    if (error && error != http::error::need_buffer) {
      co_return tl::unexpected<Error>(transport_error(error));
    }
    const ByteView got = ByteView(piece).first(wanted - body.size);
    total += got.size();
    if (total > route.max_body) co_return too_large();
    if (!route.upload) {
      request.body += as_text(got);
      continue;
    }
    const auto write = [&] { return std::make_shared<Result<void>>(upload.write(got)); };
    const auto written = co_await context_.workers.run(write);
    if (!*written) co_return pass(*written);
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> HttpConnection::send_continue(Parser& parser) {
  if (!beast::iequals(parser.get()[http::field::expect], "100-continue")) co_return Result<void>();
  http::response<http::empty_body> go_on{http::status::continue_, 11};
  beast::get_lowest_layer(stream_).expires_after(context_.limits.progress);
  const auto [error, size] = co_await http::async_write(stream_, go_on, kAsTuple);
  if (error) co_return tl::unexpected<Error>(transport_error(error));
  co_return Result<void>();
}

asio::awaitable<bool> HttpConnection::send(const Parser& parser, HttpResponse response) {
  http::response<http::string_body> out{static_cast<http::status>(response.status),
                                        parser.get().version() == 10 ? 10U : 11U};
  out.set(http::field::server, "touchmark");
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  if (!response.content_type.empty()) out.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) out.set(name, value);
  out.body() = std::move(response.body);
  if (response.status != 204) out.content_length(out.body().size());
  // One deadline for the whole answer, so a large one gets time for a slow line.
  const auto for_size = std::chrono::seconds(out.body().size() / kSlowestBytesPerSecond);
  beast::get_lowest_layer(stream_).expires_after(context_.limits.progress + for_size);
  const auto [error, size] = co_await http::async_write(stream_, out, kAsTuple);
  co_return !error;
}

// Without reading what the client still sends, the kernel would reset the connection and the client
// might never see why it was refused.
asio::awaitable<void> HttpConnection::drain(Parser& parser) {
  Bytes piece(kPieceBytes);
  beast::get_lowest_layer(stream_).expires_after(context_.limits.drained_time);
  for (std::uint64_t total = 0; !parser.is_done() && total < context_.limits.drained_bytes;) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kAsTuple);
    if (error && error != http::error::need_buffer) co_return;
    total += piece.size() - body.size;
  }
}

asio::awaitable<void> HttpConnection::close() {
  beast::get_lowest_layer(stream_).expires_after(std::chrono::seconds(2));
  co_await stream_.async_shutdown(kAsTuple);
  beast::get_lowest_layer(stream_).close();
}

std::string HttpConnection::remote_ip(const Parser& parser) const {
  if (!context_.trust_forwarded_for) return peer_;
  // The last entry is the one that our own proxy added; those before it are the client's word.
  std::string_view forwarded = parser.get()["X-Forwarded-For"];
  forwarded.remove_prefix(std::min(forwarded.find_last_of(',') + 1, forwarded.size()));
  while (forwarded.starts_with(' ')) forwarded.remove_prefix(1);
  while (forwarded.ends_with(' ')) forwarded.remove_suffix(1);
  error_code error;
  const auto address = asio::ip::make_address(std::string(forwarded), error);
  return error ? peer_ : address_text(address);
}

}  // namespace touchmark::verifier::http
