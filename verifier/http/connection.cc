#include "verifier/http/connection.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <functional>

#include "verifier/http/framing.h"
#include "verifier/http/problem.h"
#include "verifier/http/tls.h"

namespace touchmark::verifier::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kPieceBytes = 64 * 1024;       // of an upload
constexpr std::size_t kSmallPieceBytes = 16 * 1024;  // of what stays in memory anyway
constexpr std::size_t kFirstRead = 1024;  // so that a connection that waits holds little memory
constexpr std::size_t kKeptBuffer = 4096;
constexpr std::size_t kWholeAnswer = 64 * 1024;  // an answer of up to that goes out in one write
constexpr std::size_t kSlowestBytesPerSecond = 16 * 1024;  // of an answer
constexpr std::size_t kMaxChunkExtensions = 4096;          // of one body
constexpr std::uint64_t kWorksOfAPhone = 4;                // two attestations over one connection

bool is_control_byte(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Path and query of a request target; false when it is not in origin form (RFC 9112 section 3.2.1),
// or when its path reads otherwise once it is decoded: a proxy that looks at the path must not see
// another one than we do.
bool read_target(std::string_view target, HttpRequest& request) {
  // Most are letters and slashes, which need no decoding.
  const bool plain = target.starts_with('/') && std::ranges::all_of(target, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/';
                     });
  if (plain && target.find("//") == target.npos) {
    request.path = target;
    return true;
  }
  const auto parsed = boost::urls::parse_origin_form(target);
  if (!parsed) return false;
  const auto differs = [](const std::string& segment) {
    return segment.find('/') != segment.npos || std::ranges::any_of(segment, is_control_byte);
  };
  for (const std::string& segment : parsed->segments()) {
    if (differs(segment)) return false;
  }
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
  constexpr std::size_t kUsual = 512;
  std::string out;
  out.reserve(kUsual + (response.body.size() <= kWholeAnswer ? response.body.size() : 0));
  out.append(version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ").append(std::to_string(response.status));
  out.append(" ").append(reason).append(
      "\r\nServer: touchmark\r\nX-Content-Type-Options: nosniff\r\nCache-Control: ");
  out.append(response.cache_control).append("\r\n");
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (response.status != 204) add("Content-Length", std::to_string(response.body.size()));
  return std::move(out.append("\r\n"));
}

Error too_busy() {
  return {HttpError::kBusy, "the service has as much of such work as it takes; try again later"};
}

}  // namespace

// Parses what the connection received; a body goes piece by piece to where the caller says.
class HttpConnection::Parser : public http::request_parser<http::buffer_body> {
 public:
  Parser() { on_chunk_header(check_extension_); }

 private:
  std::size_t extensions_ = 0;
  std::function<void(std::uint64_t, beast::string_view, error_code&)> check_extension_ =
      [this](std::uint64_t, beast::string_view text, error_code& error) {
        extensions_ += text.size();
        const std::string_view extension(text.data(), text.size());
        if (!is_chunk_extension(extension) || extensions_ > kMaxChunkExtensions) {
          error = http::error::bad_chunk_extension;
        }
      };
};

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, ConnectionContext& context,
                               std::shared_ptr<Protection> protection, Listener listener)
    : context_(context),
      protection_(std::move(protection)),
      listener_(listener),
      stream_(std::move(socket)),
      buffer_(context.limits.header_bytes + kPieceBytes) {
  error_code error;
  const auto endpoint = stream_.peer(error);
  if (!error) peer_ = plain_address(endpoint.address());
  client_ = peer_;
}

void HttpConnection::stop() {
  asio::post(stream_.executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    if (self->stage_ == Stage::kIdle) self->stream_.cancel();
  });
}

void HttpConnection::stop_waiting() {
  asio::post(stream_.executor(), [self = shared_from_this()] {
    self->stopping_ = self->abandoned_ = true;
    self->end_wait_for_turn();
    if (!self->busy_) self->stream_.cancel();
  });
}

void HttpConnection::give_way() {
  asio::post(stream_.executor(), [self = shared_from_this()] {
    self->stopping_ = self->abandoned_ = self->gave_way_ = true;
    self->end_wait_for_turn();
    if (self->stage_ != Stage::kAtWork) self->stream_.abort();
  });
}

void HttpConnection::end_wait_for_turn() {
  if (const auto wait = wait_for_turn_.lock()) wait->cancel();
}

void HttpConnection::enter(Stage stage) {
  if (stage == stage_) return;
  stage_ = stage;
  place_->enter(stage);
}

std::chrono::seconds HttpConnection::shortened(std::chrono::seconds normal) const {
  return is_operator_ ? normal : place_->shortened(normal);
}

asio::awaitable<void> HttpConnection::run() {
  const bool ready = co_await handshake();
  bool more = ready;
  while (more) more = co_await serve_one();
  if (answers_ == 0 && !is_proxy()) protection_->unearned.charge(AddressKey(peer_));
  if (!ready || gave_way_) co_return;
  enter(Stage::kIdle);
  co_await close();
}

asio::awaitable<bool> HttpConnection::handshake() {
  stream_.expires_after(shortened(context_.limits.handshake));
  error_code error = co_await stream_.first_byte();
  const bool is_over = error || abandoned_;
  if (is_over) co_return false;
  // Half a ClientHello is as good as none.
  if (stream_.has_record()) enter(Stage::kHandshake);
  const auto longest = shortened(context_.limits.handshake);
  auto turn = co_await protection_->handshakes.next(AddressKey(peer_), longest, wait_for_turn_);
  const bool is_ours = turn && !abandoned_;
  if (!is_ours) co_return false;
  stream_.expires_after(longest);
  // Its turn is over when this strand is free again: after the first answer, which is what costs.
  asio::post(stream_.executor(), [held = std::pair(shared_from_this(), std::move(*turn))] {});
  turn.reset();
  auto identity = context_.tls.current();
  served_key_ = identity->spki_sha256;
  error = co_await stream_.handshake(std::move(identity), static_cast<std::uint8_t>(listener_));
  if (error) co_return false;
  exporter_ = channel_binding(stream_.native_handle());
  if (!exporter_) {
    context_.log.client(
        LogLevel::kWarning, "connection.refused",
        {{"remote_ip", peer_.to_string()}, {"reason", "TLS 1.2 without extended master secret"}});
    co_return false;
  }
  co_return true;
}

// In this file a condition holds no co_await: GCC 12 compiles that wrongly, and the program
// crashes.

// Adds to buffer_ what comes next, and tells the parser of the end.
asio::awaitable<error_code> HttpConnection::receive(Parser& parser) {
  const std::size_t wanted = parser.got_some()     ? parser.get().body().size
                             : buffer_.size() == 0 ? kFirstRead
                                                   : kKeptBuffer;
  const std::size_t room = std::min(wanted, buffer_.max_size() - buffer_.size());
  if (room == 0) co_return http::error::buffer_overflow;
  auto [error, bytes] = co_await stream_.read_some(buffer_.prepare(room));
  buffer_.commit(bytes);
  if (!error) take_rest_of_record();
  if (error != asio::error::eof && error != asio::ssl::error::stream_truncated) co_return error;
  if (!parser.got_some() && buffer_.size() == 0) co_return http::error::end_of_stream;
  co_return http::error::partial_message;
}

// What OpenSSL has decrypted already would cost another wait, and a request comes in one record as
// a rule.
void HttpConnection::take_rest_of_record() {
  SSL* tls = stream_.native_handle();
  const auto room = static_cast<int>(buffer_.max_size() - buffer_.size());
  const int pending = std::min(SSL_pending(tls), room);
  if (pending <= 0) return;
  const int got = SSL_read(tls, buffer_.prepare(static_cast<std::size_t>(pending)).data(), pending);
  if (got > 0) buffer_.commit(static_cast<std::size_t>(got));
}

// The whole header is looked at before the parser gets it.
asio::awaitable<HttpConnection::HeaderRead> HttpConnection::read_header(Parser& parser) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::size_t known = 0;
  while (true) {
    const std::string_view got(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    const std::size_t end = got.find(kEnd, known < kEnd.size() ? 0 : known - kEnd.size());
    const std::size_t size = end == got.npos ? got.size() : end + kEnd.size();
    if (size > context_.limits.header_bytes) {
      co_return HeaderRead{
          {},
          Error(HttpError::kHeaderTooLarge,
                "the header is over " + std::to_string(context_.limits.header_bytes) + " bytes")};
    }
    if (end != got.npos) {
      auto checked = check_head(got.substr(0, size));
      if (!checked) co_return HeaderRead{{}, std::move(checked.error())};
      error_code error;
      buffer_.consume(parser.put(asio::buffer(got.data(), size), error));
      if (parser.is_header_done() && !error) co_return HeaderRead{};
      co_return HeaderRead{{}, transport_error(error)};
    }
    if (!may_become_head(got, known)) {
      co_return HeaderRead{
          {}, Error(HttpError::kMalformed, "this is not the beginning of a request of HTTP/1.1")};
    }
    if (known == 0 && size > 0) {
      stream_.expires_after(shortened(context_.limits.header));
      enter(Stage::kHeader);
    }
    known = size;
    const error_code failed = co_await receive(parser);
    if (failed) co_return HeaderRead{failed, {}};
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
    enter(Stage::kBody);
    const error_code failed = co_await receive(parser);
    if (failed) co_return failed;
  }
}

// False when the connection is to be closed.
asio::awaitable<bool> HttpConnection::serve_one() {
  // Its first request is as good as here.
  const bool is_over = abandoned_ || (stopping_ && answers_ > 0);
  if (is_over) co_return false;
  Parser parser;
  parser.header_limit(context_.limits.header_bytes);
  parser.body_limit(boost::none);  // read_body() counts against the route's own bound
  enter(answers_ == 0 ? Stage::kUnused : Stage::kIdle);
  stream_.expires_after(shortened(context_.limits.idle));
  const HeaderRead read = co_await read_header(parser);
  // Closed, idle for too long, or told to stop.
  if (read.failed) co_return false;
  busy_ = true;
  enter(Stage::kAtWork);
  HttpResponse response;
  if (read.refused) {
    protection_->refused.charge(AddressKey(peer_));
    response = problem(*read.refused);
    response.headers.emplace_back("Connection", "close");
    co_await send(parser, std::move(response));
    co_return false;
  }
  // Before a trailer can add to the header.
  const bool is_wanted = parser.keep_alive();
  close_after_ = false;
  if (const IpAddress client = client_of(parser); client != client_ || client_text_.empty()) {
    client_ = client;
    client_text_ = client.to_string();
  }
  response = co_await answer(parser);
  if (response.status == 503) ++protection_->sent_away;
  ++answers_;
  const bool body_left = !parser.is_done();
  const bool keep = is_wanted && !body_left && !stopping_ && !close_after_;
  if (!keep) {
    response.headers.emplace_back("Connection", "close");
  } else if (parser.get().version() < 11) {
    response.headers.emplace_back("Connection", "keep-alive");
  }
  const bool sent = co_await send(parser, std::move(response));
  busy_ = false;
  if (sent && body_left) co_await drain(parser);
  // A long request leaves no large buffer to a connection that waits.
  if (buffer_.size() == 0 && buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
  co_return sent&& keep;
}

// What another port is for is not there.
bool HttpConnection::is_hidden(const Router::Match& match) const {
  if (listener_ == Listener::kApps) return !match.is_public;
  // Whether the service lives is told at both.
  return listener_ == Listener::kAdmins && match.is_public &&
         match.allow.find("GET") == match.allow.npos;
}

std::optional<HttpResponse> HttpConnection::answer_without_route(const HttpRequest& request,
                                                                 const Router::Match& match) {
  if (match.allow.empty() || is_hidden(match)) {
    return problem(Error(HttpError::kNotFound, "there is nothing at " + request.path));
  }
  if (match.route != nullptr) return std::nullopt;
  HttpResponse response =
      request.method == "OPTIONS"
          ? HttpResponse{204, "", "", {}}
          : problem(Error(HttpError::kWrongMethod,
                          request.method + " is not a method of " + request.path));
  response.headers.emplace_back("Allow", match.allow);
  return response;
}

HttpResponse HttpConnection::refuse_caller(const HttpRequest& request, const Error& error) {
  Json fields{{"remote_ip", request.connection.remote_ip},
              {"method", request.method},
              {"path", request.path},
              {"error", error.id()}};
  // Whose token it is, and what it would have needed. Without one there is nobody to name.
  if (error.is(HttpError::kForbidden)) fields["detail"] = error.message();
  context_.log.client(LogLevel::kWarning, "admin.refused", fields);
  if (!error.is(HttpError::kUnauthorized)) return problem(error);
  // The right token is never kept waiting: only who has not got it is.
  const AddressKey key(client_);
  const bool is_spent = protection_->wrong_tokens.is_spent(key);
  protection_->wrong_tokens.charge(key);
  if (!is_spent) return problem(error);
  close_after_ = true;
  return problem(Error(HttpError::kTooManyFailures,
                       "too many wrong operator tokens came from this address; try again later"));
}

asio::awaitable<HttpResponse> HttpConnection::answer(Parser& parser) {
  const auto& header = parser.get();
  HttpRequest request;
  request.method = std::string(header.method_string());
  request.connection = {client_text_, exporter_, served_key_};
  if (!read_target(header.target(), request)) {
    close_after_ = true;
    co_return problem(Error(HttpError::kMalformed, "the request target is not a path"));
  }
  const Router::Match match = context_.router.find(request.method, request.path);
  auto without_route = answer_without_route(request, match);
  if (without_route) co_return std::move(*without_route);
  request.argument = match.argument;
  auto caller = context_.router.authorize(*match.route, header[http::field::authorization]);
  if (!caller) co_return refuse_caller(request, caller.error());
  request.caller = std::move(*caller);
  if (match.route->permission != model::Permission::kPublic && !is_operator_) {
    is_operator_ = true;
    place_->keep();
  }
  // The last places are for those who can mend things.
  if (place_->in_reserve() && !is_operator_ && request.method == "POST") {
    close_after_ = true;
    co_return problem(too_busy());
  }
  co_return co_await answer_route(parser, *match.route, std::move(request));
}

asio::awaitable<HttpResponse> HttpConnection::answer_route(Parser& parser, const Route& route,
                                                           HttpRequest request) {
  // Before a body is taken that would only wait.
  if (route.run_on == RunOn::kLong && !context_.workers.slow.has_room()) {
    co_return problem(too_busy());
  }
  Upload upload;
  BodyMemory memory(*protection_);
  auto read = co_await read_body(parser, route, request, upload, memory);
  enter(Stage::kAtWork);
  if (!read) {
    const bool is_theirs =
        read.error().is(HttpError::kMalformed) || read.error().is(HttpError::kTooLarge);
    if (is_theirs) protection_->refused.charge(AddressKey(client_));
    co_return problem(read.error());
  }
  if (route.permission != model::Permission::kPublic) {
    // A body may come slowly, and outlast the token that it was begun with.
    auto caller = context_.router.authorize(route, parser.get()[http::field::authorization]);
    if (!caller) co_return refuse_caller(request, caller.error());
    request.caller = std::move(*caller);
  }
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
  const bool is_for_apps = route.permission == model::Permission::kPublic && route.max_body > 0;
  if (!is_for_apps) co_return handle();
  co_return co_await run_for_app(handle, guarded);
}

// Work that is done on the threads of the network: a little at a time.
template <class Handle, class Guarded>
asio::awaitable<HttpResponse> HttpConnection::run_for_app(const Handle& handle,
                                                          const Guarded& guarded) {
  const AddressKey key(client_);
  using enum WorkGate::Rank;
  auto rank = kFirst;
  if (protection_->refused.is_spent(key)) rank = kFromSpentAddress;
  if (++works_ > kWorksOfAPhone) rank = kAgain;
  auto place = protection_->gate.try_enter();
  if (!place) place = co_await protection_->gate.enter(rank);
  if (!place) {
    close_after_ = true;
    co_return problem(too_busy());
  }
  HttpResponse response = handle();
  place.reset();
  if (response.rest) {
    const auto rest = [&] { return guarded(response.rest); };
    auto done = co_await context_.workers.attestations.run_if_room(rest);
    if (!done) co_return problem(too_busy());
    response = std::move(*done);
  }
  if (response.earned_nothing || response.status == 400) {
    protection_->refused.charge(key);
  } else {
    protection_->refused.pay_back(key);
  }
  co_return response;
}

asio::awaitable<Result<void>> HttpConnection::read_body(Parser& parser, const Route& route,
                                                        HttpRequest& request, Upload& upload,
                                                        BodyMemory& memory) {
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
  if (expects_continue(parser)) {
    enter(Stage::kBody);
    auto continued = co_await send_continue();
    if (!continued) co_return continued;
  }

  // An upload may take as long as it goes on; what others send has one deadline as a whole.
  const auto for_size = std::chrono::seconds(route.max_body / context_.limits.body_per_second);
  if (!route.upload) stream_.expires_after(shortened(context_.limits.progress + for_size));
  const std::size_t most = route.upload ? kPieceBytes : kSmallPieceBytes;
  Bytes piece(route.upload ? std::min<std::uint64_t>(most, length.value_or(most)) : 0);
  std::uint64_t total = 0;
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    // A read ends when the piece is full: one byte over the bound is enough to know. What is
    // claimed is not believed beyond a piece.
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(
        {most, length.value_or(UINT64_MAX) - total, route.max_body - total + 1}));
    if (!route.upload) request.body.resize(total + wanted);
    body.data = route.upload ? static_cast<void*>(piece.data()) : request.body.data() + total;
    body.size = wanted;
    if (route.upload) stream_.expires_after(context_.limits.progress);
    const error_code error = co_await read_piece(parser);
    if (error) co_return tl::unexpected<Error>(transport_error(error));
    const std::size_t size = wanted - body.size;
    total += size;
    if (total > route.max_body) co_return too_large();
    if (!route.upload) {
      request.body.resize(total);
      if (!memory.take(size)) co_return tl::unexpected<Error>(too_busy());
      continue;
    }
    const ByteView got = ByteView(piece).first(size);
    const auto written = co_await context_.workers.files.run([&] { return upload.write(got); });
    if (!written) co_return pass(written);
  }
  co_return Result<void>();
}

bool HttpConnection::expects_continue(const Parser& parser) {
  return parser.get().version() >= 11 &&
         beast::iequals(parser.get()[http::field::expect], "100-continue");
}

asio::awaitable<Result<void>> HttpConnection::send_continue() {
  stream_.expires_after(context_.limits.progress);
  const error_code error = co_await stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
  if (error) co_return tl::unexpected<Error>(transport_error(error));
  co_return Result<void>();
}

asio::awaitable<bool> HttpConnection::send(const Parser& parser, HttpResponse response) {
  std::string head = header_of(parser.get().version(), response);
  std::string& body = response.body;
  // The header is that of GET (RFC 9110 section 9.3.2).
  if (parser.get().method() == http::verb::head) body.clear();
  // One deadline for the whole answer, so a large one gets time for a slow line.
  const auto for_size = std::chrono::seconds(body.size() / kSlowestBytesPerSecond);
  stream_.expires_after(context_.limits.progress + for_size);
  enter(Stage::kAnswer);
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
  Bytes piece(kSmallPieceBytes);
  stream_.expires_after(shortened(context_.limits.drained_time));
  enter(Stage::kBody);
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

IpAddress HttpConnection::client_of(const Parser& parser) const {
  if (!is_proxy()) return peer_;
  ForwardedLines lines;
  for (const auto& field : parser.get()) {
    if (beast::iequals(field.name_string(), "X-Forwarded-For")) {
      lines.x_forwarded_for.push_back(field.value());
    } else if (beast::iequals(field.name_string(), "Forwarded")) {
      lines.forwarded.push_back(field.value());
    }
  }
  return client_address(peer_, context_.proxies, context_.forwarded, lines);
}

}  // namespace touchmark::verifier::http
