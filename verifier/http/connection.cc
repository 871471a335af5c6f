#include "verifier/http/connection.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
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

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kFirstRead = 1024;  // so that a connection that waits holds little memory
constexpr std::size_t kWholeAnswer = 64 * 1024;  // an answer of up to that goes out in one write
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

std::string header_of(unsigned version, const HttpResponse& response) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string out = (version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ") + std::to_string(response.status);
  out.append(" ").append(reason).append(
      "\r\nServer: touchmark\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (response.status != 204) add("Content-Length", std::to_string(response.body.size()));
  return out + "\r\n";
}

Error too_busy() {
  return {HttpError::kBusy, "the service has as much of such work as it takes; try again later"};
}

}  // namespace

// Parses what the connection received; a body goes piece by piece to where the caller says.
class HttpConnection::Parser : public http::request_parser<http::buffer_body> {};

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, ConnectionContext& context)
    : context_(context),
      stream_(std::move(socket), context.tls),
      buffer_(context.limits.header_bytes + kPieceBytes) {
  error_code error;
  const auto endpoint = stream_.peer(error);
  if (!error) peer_ = address_text(endpoint.address());
}

void HttpConnection::stop() {
  asio::post(stream_.executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    if (!self->busy_) self->stream_.cancel();
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
  stream_.expires_after(context_.limits.handshake);
  const error_code error = co_await stream_.handshake();
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

// In this file a condition holds no co_await: GCC 12 compiles that wrongly, and the program
// crashes.

// Adds to buffer_ what comes next, and tells the parser of the end.
asio::awaitable<error_code> HttpConnection::receive(Parser& parser) {
  const std::size_t wanted = buffer_.size() == 0 && !parser.got_some() ? kFirstRead : kPieceBytes;
  const std::size_t room = std::min(wanted, buffer_.max_size() - buffer_.size());
  if (room == 0) co_return http::error::buffer_overflow;
  auto [error, bytes] = co_await stream_.read_some(buffer_.prepare(room));
  buffer_.commit(bytes);
  if (error != asio::error::eof && error != asio::ssl::error::stream_truncated) co_return error;
  if (!parser.got_some() && buffer_.size() == 0) co_return http::error::end_of_stream;
  co_return http::error::partial_message;
}

asio::awaitable<error_code> HttpConnection::read_header(Parser& parser) {
  while (true) {
    if (buffer_.size() > 0) {
      error_code error;
      buffer_.consume(parser.put(buffer_.data(), error));
      if (parser.is_header_done()) co_return error_code();
      if (error && error != http::error::need_more) co_return error;
    }
    const error_code failed = co_await receive(parser);
    if (failed) co_return failed;
  }
}

// Fills the parser's piece of a body, until it is full or a part of it has come.
asio::awaitable<error_code> HttpConnection::read_piece(Parser& parser) {
  const std::size_t room = parser.get().body().size;
  while (true) {
    error_code error = http::error::need_more;
    std::size_t parsed = 0;
    if (buffer_.size() > 0) {
      error.clear();
      parsed = parser.put(buffer_.data(), error);
      buffer_.consume(parsed);
    }
    if (error == http::error::need_buffer) co_return error_code();
    if (error && error != http::error::need_more) co_return error;
    if (parser.is_done() || parser.get().body().size < room) co_return error_code();
    if (parsed > 0 && !error) continue;  // the head of a chunk
    const error_code failed = co_await receive(parser);
    if (failed) co_return failed;
  }
}

// False when the connection is to be closed.
asio::awaitable<bool> HttpConnection::serve_one() {
  if (stopping_) co_return false;
  Parser parser;
  parser.header_limit(context_.limits.header_bytes);
  parser.body_limit(boost::none);  // read_body() counts against the route's own bound
  stream_.expires_after(context_.limits.idle);
  const error_code error = co_await read_header(parser);
  // Closed, idle for too long, or told to stop: there is nobody to answer.
  if (error == http::error::end_of_stream || error == asio::error::operation_aborted) {
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
  // Before a body is taken that would only wait.
  if (route.run_on == RunOn::kLong && !context_.workers.slow.has_room()) {
    co_return problem(too_busy());
  }
  Upload upload;
  auto read = co_await read_body(parser, route, request, upload);
  if (!read) co_return problem(read.error());
  if (route.upload) request.upload_path = upload.path().string();
  co_return co_await run(route, request);
}

asio::awaitable<HttpResponse> HttpConnection::run(const Route& route, const HttpRequest& request) {
  const auto guarded = [&](const auto& handler) -> HttpResponse {
    try {
      return handler();
    } catch (const std::exception& error) {
      // Memory, or a defect: this request fails, the service goes on.
      context_.log.error("internal", {{"path", request.path}, {"error", error.what()}});
      return problem(Error(HttpError::kInternal, "the service failed; its log says more"));
    }
  };
  const auto handle = [&] { return guarded([&] { return route.handle(request); }); };
  if (route.run_on == RunOn::kWorker) co_return co_await context_.workers.general.run(handle);
  if (route.run_on == RunOn::kLong) {
    auto done = co_await context_.workers.slow.run_if_room(handle);
    co_return done ? std::move(*done) : problem(too_busy());
  }
  HttpResponse response = handle();
  if (!response.rest) co_return response;
  const auto rest = [&] { return guarded(response.rest); };
  auto done = co_await context_.workers.attestations.run_if_room(rest);
  co_return done ? std::move(*done) : problem(too_busy());
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
    auto created =
        co_await context_.workers.files.run([&] { return Upload::create(context_.upload_dir); });
    if (!created) co_return pass(created);
    upload = std::move(*created);
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
    stream_.expires_after(context_.limits.progress);
    const error_code error = co_await read_piece(parser);
    if (error) co_return tl::unexpected<Error>(transport_error(error));
    const ByteView got = ByteView(piece).first(wanted - body.size);
    total += got.size();
    if (total > route.max_body) co_return too_large();
    if (!route.upload) {
      request.body += as_text(got);
      continue;
    }
    const auto written = co_await context_.workers.files.run([&] { return upload.write(got); });
    if (!written) co_return pass(written);
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> HttpConnection::send_continue(Parser& parser) {
  if (!beast::iequals(parser.get()[http::field::expect], "100-continue")) co_return Result<void>();
  stream_.expires_after(context_.limits.progress);
  const error_code error = co_await stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
  if (error) co_return tl::unexpected<Error>(transport_error(error));
  co_return Result<void>();
}

asio::awaitable<bool> HttpConnection::send(const Parser& parser, HttpResponse response) {
  std::string head = header_of(parser.get().version(), response);
  std::string& body = response.body;
  // One deadline for the whole answer, so a large one gets time for a slow line.
  const auto for_size = std::chrono::seconds(body.size() / kSlowestBytesPerSecond);
  stream_.expires_after(context_.limits.progress + for_size);
  if (body.size() <= kWholeAnswer) {
    head += body;
    body.clear();
  }
  error_code error = co_await stream_.write(head);
  if (!error && !body.empty()) error = co_await stream_.write(body);
  co_return !error;
}

// Without reading what the client still sends, the kernel would reset the connection and the client
// might never see why it was refused.
asio::awaitable<void> HttpConnection::drain(Parser& parser) {
  Bytes piece(kPieceBytes);
  stream_.expires_after(context_.limits.drained_time);
  for (std::uint64_t total = 0; !parser.is_done() && total < context_.limits.drained_bytes;) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    const error_code error = co_await read_piece(parser);
    if (error) co_return;
    total += piece.size() - body.size;
  }
}

asio::awaitable<void> HttpConnection::close() {
  stream_.expires_after(std::chrono::seconds(2));
  co_await stream_.close();
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
