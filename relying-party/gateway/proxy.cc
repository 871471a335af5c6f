// A connection's requests on their way to an upstream, and the answers on their way back. Nothing
// of a body is kept: the next piece is read when the one before has been written.
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/text.h"
#include "relying-party/gateway/connection.h"
#include "verifier/http/awaitable.h"

namespace touchmark::relying::gateway {

namespace asio = boost::asio;
using verifier::http::kAsTuple;

namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kIdleUpstreams = 128;  // of each upstream and thread
constexpr std::chrono::seconds kUpstreamIdle{30};
constexpr std::size_t kLongestPath = 256;

// Whether an idle connection may carry a request: its end has neither closed it nor said anything.
bool is_alive(Socket& socket) {
  char byte = 0;
  return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

// Sending it twice does no more than sending it once (RFC 9110, section 9.2.2), and there is no
// body that would be gone.
bool may_send_again(const RequestHead& head) {
  return head.body.kind == Framing::Kind::kNone &&
         (head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS" ||
          head.method == "PUT" || head.method == "DELETE");
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

struct Connection::Exchange {
  Exchange(const RequestHead& of, asio::io_context& io)
      : head(of), upload_ended(io, SteadyTime::max()) {}

  const RequestHead& head;
  std::string request;
  std::shared_ptr<UpstreamConnection> upstream;
  bool is_preflight = false;
  bool began = false;         // something was sent to the client
  bool uploads = false;       // the request's body is on its way
  bool stops_upload = false;  // and is to be left
  bool body_was_sent = true;  // whole
  bool bad_body = false;      // the client's chunks are none
  asio::steady_timer upload_ended;
};

asio::awaitable<bool> Connection::serve_proxy(const RequestHead& head) {
  const auto target = read_target(head.target);
  const auto match = target ? shared_.match(target->compared) : std::nullopt;
  if (!match) {
    ++shared_.refused_paths;
    shared_.log.client(verifier::http::LogLevel::kWarning, "path.refused",
                       {{"path", shortened(head.target, kLongestPath)}});
    RequestHead last = head;
    last.keep_alive = false;
    co_await answer(last, 400, "Content-Type: application/json\r\n", "{}");
    co_await drain();
    co_return false;
  }
  const std::string client = client_of(head, false).to_string();
  const Request request{head.method, head.fields, client};
  Guard::Attempt attempt = shared_.guard.begin(request, match->route);
  Decision decision;
  if (attempt.wait == Guard::Wait::kNothing) {
    decision = shared_.guard.finish(attempt, request);
  } else {
    decision = co_await decide(request, match->route);
  }
  tell(decision, head.method, target->compared, client);
  if (!decision.allowed) {
    const bool has_body = head.body.kind != Framing::Kind::kNone;
    RequestHead last = head;
    last.keep_alive = head.keep_alive && !has_body;
    const bool sent = co_await refuse(last);
    if (sent && has_body) co_await drain();
    co_return sent&& last.keep_alive;
  }
  const bool goes_on = co_await forward(head, *target, decision, client, match->upstream);
  co_return goes_on;
}

std::string Connection::request_text(const RequestHead& head, const Target& target,
                                     const Decision& decision, const std::string& client,
                                     const Address& upstream) const {
  std::string out;
  out.reserve(head_text_.size() + 512);
  out.append(head.method).append(" ").append(target.sent).append(" HTTP/1.1\r\n");
  const std::string connection = joined(head.fields, "Connection");
  bool has_host = false;
  bool has_length = false;
  std::string forwarded_for;
  std::string_view proto = "http";
  for (const Header& field : head.fields) {
    if (same_word(field.name, "Host")) has_host = true;
    if (same_word(field.name, "Content-Length")) has_length = true;
    if (is_fact_name(field.name) || is_hop_by_hop(field.name, connection) ||
        same_word(field.name, "Content-Length") || same_word(field.name, "Expect") ||
        same_word(field.name, "X-Real-IP") || same_word(field.name, "X-Forwarded-Host")) {
      continue;
    }
    if (same_word(field.name, "X-Forwarded-For")) {
      if (is_trusted_) forwarded_for.append(field.value).append(", ");
      continue;
    }
    if (same_word(field.name, "X-Forwarded-Proto")) {
      if (is_trusted_) proto = field.value;
      continue;
    }
    if (same_word(field.name, "Forwarded") && !is_trusted_) continue;
    append_line(out, field.name, field.value);
  }
  if (!has_host)
    append_line(out, "Host", upstream.path.empty() ? to_string(upstream) : "localhost");
  append_line(out, "X-Forwarded-For", forwarded_for + peer_.to_string());
  append_line(out, "X-Forwarded-Proto", proto);
  append_line(out, "X-Forwarded-Host", head.find("Host"));
  append_line(out, "X-Real-IP", client);
  append_line(out, "Via", "1.1 touchmark");
  append_facts(out, decision);
  if (head.body.kind == Framing::Kind::kChunked) {
    append_line(out, "Transfer-Encoding", "chunked");
  } else if (has_length) {
    append_line(out, "Content-Length", std::to_string(head.body.length));
  }
  if (!head.upgrade.empty()) {
    append_line(out, "Connection", "Upgrade");
    append_line(out, "Upgrade", head.upgrade);
  }
  return out.append("\r\n");
}

asio::awaitable<boost::system::error_code> Connection::connect_to(const Address& address,
                                                                  Socket& socket) {
  if (!address.path.empty()) {
    const auto [error] = co_await socket.async_connect(
        asio::local::stream_protocol::endpoint(address.path), kAsTuple);
    co_return error;
  }
  asio::ip::tcp::resolver resolver(thread_.io);
  error_code failed;
  const auto literal = asio::ip::make_address(address.host, failed);
  std::vector<asio::ip::tcp::endpoint> endpoints;
  if (!failed) {
    endpoints.emplace_back(literal, address.port);
  } else {
    const auto [error, found] =
        co_await resolver.async_resolve(address.host, std::to_string(address.port), kAsTuple);
    if (error) co_return error;
    for (const auto& one : found) endpoints.push_back(one.endpoint());
  }
  for (const auto& endpoint : endpoints) {
    error_code ignored;
    socket.close(ignored);
    const auto [error] = co_await socket.async_connect(endpoint, kAsTuple);
    failed = error;
    if (!failed) {
      socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      break;
    }
    if (timed_out_) break;
  }
  co_return failed;
}

asio::awaitable<std::shared_ptr<UpstreamConnection>> Connection::connect(std::size_t upstream,
                                                                         bool may_reuse) {
  auto& idle = thread_.idle[upstream];
  while (may_reuse && !idle.empty()) {
    auto kept = std::move(idle.back());
    idle.pop_back();
    if (thread_.now - kept->idle_since < kUpstreamIdle && is_alive(kept->socket)) co_return kept;
  }
  auto made = std::make_shared<UpstreamConnection>(Socket(thread_.io));
  upstream_ = made;
  waits_for_upstream_ = true;
  move_deadline(shared_.plan.limits.connect);
  const error_code failed = co_await connect_to(shared_.plan.upstreams[upstream], made->socket);
  waits_for_upstream_ = false;
  if (failed) co_return nullptr;
  co_return made;
}

asio::awaitable<bool> Connection::forward(const RequestHead& head, const Target& target,
                                          const Decision& decision, const std::string& client,
                                          std::size_t upstream) {
  Exchange current(head, thread_.io);
  current.request = request_text(head, target, decision, client, shared_.plan.upstreams[upstream]);
  current.is_preflight = decision.reason == Reason::kPreflight;
  timed_out_ = false;
  bool goes_on = false;
  // Once more on a new connection where a kept one was closed at this very moment.
  for (int attempt = 0; attempt < 2; ++attempt) {
    current.upstream = co_await connect(upstream, attempt == 0);
    upstream_ = current.upstream;
    if (upstream_ == nullptr) break;
    goes_on = co_await exchange(current);
    co_await end_upload(current);
    if (current.began || timed_out_ || !may_send_again(head)) break;
  }
  waits_for_upstream_ = false;
  if (goes_on && current.body_was_sent) keep(upstream, std::move(current.upstream));
  upstream_ = nullptr;
  if (current.began) co_return goes_on&& current.body_was_sent;
  RequestHead last = head;
  last.keep_alive = false;
  const unsigned status = current.bad_body ? 400 : timed_out_ ? 504 : 502;
  if (!current.bad_body) {
    ++shared_.upstream_failures;
    shared_.log.client(
        verifier::http::LogLevel::kError, "upstream.failed",
        {{"upstream", to_string(shared_.plan.upstreams[upstream])}, {"status", status}});
  }
  move_deadline(shared_.plan.limits.progress);
  co_await answer(last, status, "", "");
  co_await drain();
  co_return false;
}

// For another request, when nothing is left of this one.
void Connection::keep(std::size_t upstream, std::shared_ptr<UpstreamConnection> connection) {
  auto& idle = thread_.idle[upstream];
  if (connection == nullptr || !connection->may_be_kept || !connection->buffer.empty() ||
      idle.size() >= kIdleUpstreams || shared_.stopping) {
    return;
  }
  connection->idle_since = thread_.now;
  idle.push_back(std::move(connection));
}

// Ends what is under way of a body: the answer came before its end, or there is none.
asio::awaitable<void> Connection::end_upload(Exchange& exchange) {
  if (!exchange.uploads) co_return;
  exchange.stops_upload = true;
  error_code ignored;
  client_.cancel(ignored);
  exchange.upstream->socket.close(ignored);
  while (exchange.uploads) co_await exchange.upload_ended.async_wait(kAsTuple);
}

// One request and its answer over exchange.upstream. False: the client's connection ends.
asio::awaitable<bool> Connection::exchange(Exchange& exchange) {
  const auto upstream = exchange.upstream;
  waits_for_upstream_ = true;
  move_deadline(shared_.plan.limits.progress);
  const auto [error, sent] = co_await asio::async_write(
      upstream->socket, asio::buffer(exchange.request.data(), exchange.request.size()), kAsTuple);
  if (error) co_return false;
  if (exchange.head.body.kind != Framing::Kind::kNone) {
    exchange.uploads = true;
    exchange.body_was_sent = false;
    // An answer may come before the body has ended, so both go on at once. end_upload() waits for
    // its end before `exchange` goes.
    asio::co_spawn(
        thread_.io, [self = shared_from_this(), &exchange] { return self->upload(exchange); },
        asio::detached);
  }
  std::string text;
  AnswerHead head;
  while (true) {
    const bool read = co_await read_answer(exchange, text);
    if (!read) co_return false;
    auto answer = read_answer_head(text, exchange.head.method == "HEAD");
    if (!answer) {
      shared_.log.client(verifier::http::LogLevel::kError, "upstream.bad_answer",
                         {{"error", answer.error().message()}});
      co_return false;
    }
    head = std::move(*answer);
    // 100 was answered here, and the others say nothing that has to arrive.
    if (head.status >= 200 || head.status == 101) break;
  }
  waits_for_upstream_ = false;
  if (head.status == 101) {
    // Nobody asked for it, and what follows would be anything.
    if (exchange.head.upgrade.empty() || exchange.uploads) co_return false;
    co_await tunnel(exchange, text);
    co_return false;
  }
  const bool goes_on = co_await relay_answer(exchange, head);
  co_return goes_on;
}

asio::awaitable<bool> Connection::read_upstream(UpstreamConnection& upstream, std::size_t most) {
  const std::span<char> room = upstream.buffer.room(most);
  const auto [error, size] =
      co_await upstream.socket.async_read_some(asio::buffer(room.data(), room.size()), kAsTuple);
  if (error) co_return false;
  upstream.buffer.add(size);
  move_deadline(shared_.plan.limits.progress);
  co_return true;
}

// The head of an answer, with its empty line, into `head`.
asio::awaitable<bool> Connection::read_answer(Exchange& exchange, std::string& head) {
  Buffer& buffer = exchange.upstream->buffer;
  const std::size_t most = shared_.plan.limits.header_bytes;
  while (true) {
    const std::string_view view = buffer.view();
    const std::size_t end = view.find("\r\n\r\n");
    if (end != view.npos) {
      head.assign(view.substr(0, end + 4));
      buffer.consume(end + 4);
      co_return true;
    }
    if (view.size() >= most) co_return false;
    const bool came = co_await read_upstream(*exchange.upstream, most);
    if (!came) co_return false;
  }
}

// --- The body of a request
// -------------------------------------------------------------------------

asio::awaitable<void> Connection::upload(Exchange& exchange) {
  exchange.body_was_sent = co_await upload_body(exchange);
  error_code ignored;
  // Its upstream must not take what came for the whole.
  if (exchange.bad_body) exchange.upstream->socket.close(ignored);
  exchange.uploads = false;
  exchange.upload_ended.cancel();
}

asio::awaitable<bool> Connection::upload_body(Exchange& exchange) {
  Socket& upstream = exchange.upstream->socket;
  if (exchange.head.expects_continue && buffer_.empty()) {
    const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) co_return false;
  }
  const bool in_chunks = exchange.head.body.kind == Framing::Kind::kChunked;
  std::uint64_t left = exchange.head.body.length;
  ChunkReader chunks;
  while (true) {
    std::string_view bytes = buffer_.view();
    std::string_view part =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
    if (in_chunks) {
      const auto read = chunks.next(bytes);
      if (!read) {
        exchange.bad_body = true;
        co_return false;
      }
      part = *read;
    }
    const std::size_t used = in_chunks ? buffer_.size() - bytes.size() : part.size();
    const bool is_end = in_chunks ? chunks.is_done() : part.size() == left;
    const bool sent = co_await write_part(upstream, part, in_chunks, is_end);
    if (!sent) co_return false;
    buffer_.consume(used);
    left -= in_chunks ? 0 : part.size();
    if (is_end) co_return true;
    move_deadline(shared_.plan.limits.progress);
    if (!part.empty() && !buffer_.empty()) continue;
    if (exchange.stops_upload) co_return false;
    const bool came = co_await read_more(kPiece);
    if (!came) {
      // Who goes away in the middle of a request has sent none.
      error_code ignored;
      if (!exchange.stops_upload) upstream.close(ignored);
      co_return false;
    }
  }
}

// A part of a body, as a chunk where it is sent in chunks; with the last chunk at its end.
asio::awaitable<bool> Connection::write_part(Socket& to, std::string_view part, bool in_chunks,
                                             bool is_end) {
  const std::string before = in_chunks && !part.empty() ? chunk_head(part.size()) : "";
  const std::string_view after = !in_chunks ? ""
                                 : is_end   ? (part.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n")
                                            : (part.empty() ? "" : "\r\n");
  if (before.empty() && part.empty() && after.empty()) co_return true;
  const std::array<asio::const_buffer, 3> all{asio::buffer(before),
                                              asio::buffer(part.data(), part.size()),
                                              asio::buffer(after.data(), after.size())};
  const auto [error, size] = co_await asio::async_write(to, all, kAsTuple);
  co_return !error;
}

// --- The answer
// ------------------------------------------------------------------------------------

asio::awaitable<bool> Connection::relay_answer(Exchange& exchange, const AnswerHead& answer) {
  const RequestHead& head = exchange.head;
  const bool drops_body = exchange.is_preflight;
  const Framing::Kind kind = answer.body.kind;
  const bool is_unbounded = kind == Framing::Kind::kChunked || kind == Framing::Kind::kUntilClose;
  const bool in_chunks = is_unbounded && head.is_http_11 && !drops_body;
  // HTTP/1.0 has no chunks: its answer ends with the connection.
  const bool keeps = head.keep_alive && !exchange.uploads && !shared_.stopping &&
                     (!is_unbounded || in_chunks || drops_body);
  out_.assign("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  out_.append(answer.reason).append("\r\n");
  const std::string connection = joined(answer.fields, "Connection");
  for (const Header& field : answer.fields) {
    if (is_hop_by_hop(field.name, connection)) continue;
    const bool is_length = same_word(field.name, "Content-Length");
    if (is_length && (drops_body || kind == Framing::Kind::kLength)) continue;
    append_line(out_, field.name, field.value);
  }
  if (drops_body) {
    append_line(out_, "Content-Length", "0");
  } else if (kind == Framing::Kind::kLength) {
    append_line(out_, "Content-Length", std::to_string(answer.body.length));
  } else if (in_chunks) {
    append_line(out_, "Transfer-Encoding", "chunked");
  }
  if (!keeps) append_line(out_, "Connection", "close");
  if (keeps && !head.is_http_11) append_line(out_, "Connection", "keep-alive");
  out_.append("\r\n");
  exchange.began = true;
  const bool sent = co_await write(out_);
  if (!sent) co_return false;
  exchange.upstream->may_be_kept =
      answer.keep_alive && !(drops_body && kind != Framing::Kind::kNone);
  if (drops_body) co_return keeps;
  const bool whole = co_await relay_body(exchange, answer, in_chunks);
  // Half a body must not look like a whole one.
  co_return whole&& keeps;
}

asio::awaitable<bool> Connection::relay_body(Exchange& exchange, const AnswerHead& answer,
                                             bool in_chunks) {
  const Framing::Kind kind = answer.body.kind;
  if (kind == Framing::Kind::kNone) co_return true;
  UpstreamConnection& upstream = *exchange.upstream;
  std::uint64_t left = kind == Framing::Kind::kLength ? answer.body.length : UINT64_MAX;
  ChunkReader chunks;
  bool is_end = left == 0;
  while (!is_end) {
    std::string_view bytes = upstream.buffer.view();
    std::string_view part =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
    if (kind == Framing::Kind::kChunked) {
      const auto read = chunks.next(bytes);
      if (!read) co_return false;
      part = *read;
      is_end = chunks.is_done();
    } else {
      bytes.remove_prefix(part.size());
      left -= part.size();
      is_end = left == 0;
    }
    const std::size_t used = upstream.buffer.size() - bytes.size();
    const bool sent = co_await write_part(client_, part, in_chunks, is_end);
    if (!sent) co_return false;
    upstream.buffer.consume(used);
    if (is_end || (!part.empty() && !upstream.buffer.empty())) continue;
    move_deadline(shared_.plan.limits.progress);
    const bool came = co_await read_upstream(upstream, kPiece);
    if (came) continue;
    if (kind != Framing::Kind::kUntilClose) co_return false;
    is_end = true;
    const bool ended = co_await write_part(client_, "", in_chunks, true);
    if (!ended) co_return false;
  }
  co_return true;
}

// --- What was upgraded
// -----------------------------------------------------------------------------

// Bytes in both directions until both have ended. `head`: the upstream's answer, which goes on as
// it stands.
asio::awaitable<void> Connection::tunnel(Exchange& exchange, std::string_view head) {
  exchange.began = true;
  const bool sent = co_await write(head);
  if (!sent) co_return;
  Socket& upstream = exchange.upstream->socket;
  exchange.uploads = true;
  asio::co_spawn(
      thread_.io,
      [self = shared_from_this(), &exchange]() -> asio::awaitable<void> {
        co_await self->pump(self->client_, exchange.upstream->socket, self->buffer_);
        exchange.uploads = false;
        exchange.upload_ended.cancel();
      },
      asio::detached);
  co_await pump(upstream, client_, exchange.upstream->buffer);
  while (exchange.uploads) co_await exchange.upload_ended.async_wait(kAsTuple);
}

asio::awaitable<void> Connection::pump(Socket& from, Socket& to, Buffer& buffer) {
  error_code ignored;
  while (true) {
    move_deadline(shared_.plan.limits.upgraded);
    if (!buffer.empty()) {
      const std::string_view view = buffer.view();
      const auto [failed, size] =
          co_await asio::async_write(to, asio::buffer(view.data(), view.size()), kAsTuple);
      buffer.consume(view.size());
      if (failed) {
        from.close(ignored);
        co_return;
      }
    }
    const std::span<char> room = buffer.room(kPiece);
    const auto [error, size] =
        co_await from.async_read_some(asio::buffer(room.data(), room.size()), kAsTuple);
    if (error) break;
    buffer.add(size);
  }
  // One side has said all; the other may go on.
  to.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace touchmark::relying::gateway
