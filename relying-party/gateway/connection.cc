#include "relying-party/gateway/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "base/text.h"
#include "verifier/http/awaitable.h"
#include "verifier/http/framing.h"

namespace touchmark::relying::gateway {

namespace asio = boost::asio;
using verifier::http::kAsTuple;

namespace {

constexpr std::size_t kMaxSkippedBody = 64 * 1024;
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::size_t kMaxLoggedPath = 256;

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 502:
      return "Bad Gateway";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// What a token's maker wrote may stand in a header when it is visible ASCII.
bool is_visible_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

void append_facts(std::string& out, const Decision& decision) {
  append_field(out, "X-Touchmark-Status", to_string(decision.status()));
  append_field(out, "X-Touchmark-Reason", to_string(decision.reason));
  append_field(out, "X-Touchmark-Maker", to_string(decision.maker));
  append_field(out, "X-Touchmark-Enforced", decision.enforced ? "true" : "false");
  if (decision.level) append_field(out, "X-Touchmark-Level", to_string(*decision.level));
  if (!decision.device.empty() && is_visible_text(decision.device.view())) {
    append_field(out, "X-Touchmark-Device", decision.device.view());
  }
}

std::optional<RouteMatch> Shared::match(std::string_view path) const {
  for (std::size_t i = 0; i < plan.rules.size(); ++i) {
    switch (plan.rules[i].path.fit(path)) {
      case PathRule::Fit::kNo:
        break;
      case PathRule::Fit::kOtherCase:
        return std::nullopt;
      case PathRule::Fit::kYes:
        return RouteMatch{routes[i], plan.rules[i].upstream.value_or(0)};
    }
  }
  return RouteMatch{};
}

Connection::Connection(Socket socket, verifier::http::IpAddress peer, Listener listener,
                       Shared& shared, Thread& thread)
    : shared_(shared),
      thread_(thread),
      listener_(listener),
      peer_(std::move(peer)),
      is_trusted_(shared.plan.proxies.may_speak(peer_)),
      client_(std::move(socket)),
      deadline_(thread.now + shared.plan.limits.header) {}

Connection::~Connection() { --shared_.connections; }

void Connection::tick() {
  if (thread_.now < deadline_) return;
  if (!waits_for_upstream_ || upstream_ == nullptr) return abort();
  // Its reader finds the connection closed, and answers.
  timed_out_ = true;
  waits_for_upstream_ = false;
  move_deadline(shared_.plan.limits.header);
  error_code ignored;
  upstream_->socket.close(ignored);
}

void Connection::stop() {
  if (!busy_) abort();
}

void Connection::abort() {
  error_code ignored;
  client_.close(ignored);
  if (upstream_ != nullptr) upstream_->socket.close(ignored);
}

asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  place_ = thread_.connections.insert(thread_.connections.end(), weak_from_this());
  bool goes_on = true;
  while (goes_on && client_.is_open()) goes_on = co_await serve_one();
  error_code ignored;
  client_.close(ignored);
  thread_.connections.erase(place_);
}

asio::awaitable<bool> Connection::read_more(std::size_t most) {
  const std::span<char> room = buffer_.room(most);
  const auto [error, size] =
      co_await client_.async_read_some(asio::buffer(room.data(), room.size()), kAsTuple);
  if (error) co_return false;
  buffer_.add(size);
  co_return true;
}

asio::awaitable<bool> Connection::write(std::string_view text) {
  const auto [error, size] =
      co_await asio::async_write(client_, asio::buffer(text.data(), text.size()), kAsTuple);
  co_return !error;
}

asio::awaitable<Connection::Head> Connection::read_head(std::size_t& size) {
  std::size_t known = 0;
  while (true) {
    const std::string_view view = buffer_.view();
    const std::size_t end = view.find("\r\n\r\n", known > 3 ? known - 3 : 0);
    if (end != view.npos && end + 4 <= shared_.plan.limits.header_bytes) {
      size = end + 4;
      co_return Head::kThere;
    }
    if (!verifier::http::may_become_head(view, known)) co_return Head::kMalformed;
    if (view.size() >= shared_.plan.limits.header_bytes) co_return Head::kTooLarge;
    if (known == 0 && !view.empty()) {
      busy_ = true;
      move_deadline(shared_.plan.limits.header);
    }
    known = view.size();
    const bool came = co_await read_more(shared_.plan.limits.header_bytes);
    if (!came) co_return Head::kClosed;
  }
}

asio::awaitable<bool> Connection::serve_one() {
  busy_ = !buffer_.empty();
  if (shared_.stopping && !busy_) co_return false;
  move_deadline(busy_ ? shared_.plan.limits.header : shared_.plan.limits.idle);
  std::size_t size = 0;
  const Head found = co_await read_head(size);
  if (found == Head::kClosed) co_return false;
  busy_ = true;
  move_deadline(shared_.plan.limits.progress);
  RequestHead head;
  unsigned status = found == Head::kTooLarge ? 431 : found == Head::kMalformed ? 400 : 0;
  if (status == 0) {
    head_text_ = buffer_.view().substr(0, size);
    if (listener_ == Listener::kProxy) {
      // The bytes of a body come into the buffer while the head is still needed.
      kept_head_.assign(head_text_);
      head_text_ = kept_head_;
      buffer_.consume(size);
      size = 0;
    }
    auto read = verifier::http::check_head(head_text_) ? read_request_head(head_text_)
                                                       : std::optional<RequestHead>();
    if (read) {
      head = std::move(*read);
    } else {
      status = 400;
    }
  }
  if (status != 0) {
    ++shared_.bad_requests;
    head.keep_alive = false;
    co_await answer(head, status, "", "");
    co_await drain();
    co_return false;
  }
  if (shared_.stopping) head.keep_alive = false;
  const bool goes_on = co_await serve(head);
  buffer_.consume(size);
  co_return goes_on&& head.keep_alive;
}

asio::awaitable<bool> Connection::serve(const RequestHead& head) {
  switch (listener_) {
    case Listener::kProxy:
      return serve_proxy(head);
    case Listener::kDecisions:
      return serve_decision(head);
    case Listener::kMetrics:
      break;
  }
  return serve_metrics(head);
}

// `fields`: whole lines.
asio::awaitable<bool> Connection::answer(const RequestHead& head, unsigned status,
                                         std::string_view fields, std::string_view body) {
  out_.assign("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_of(status));
  out_.append("\r\n").append(fields);
  if (!head.keep_alive) {
    out_.append("Connection: close\r\n");
  } else if (!head.is_http_11) {
    out_.append("Connection: keep-alive\r\n");
  }
  out_.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  if (head.method != "HEAD") out_.append(body);
  return write(out_);
}

asio::awaitable<bool> Connection::refuse(const RequestHead& head) {
  static const std::string fields = [] {
    std::string out;
    for (const Header& field : kRefusal.headers) append_field(out, field.name, field.value);
    return out;
  }();
  return answer(head, kRefusal.status, fields, kRefusal.body);
}

// What a client still sends is read for a moment: a connection that is closed with bytes unread is
// reset, and takes the answer with it.
asio::awaitable<void> Connection::drain() {
  error_code ignored;
  client_.shutdown(Socket::shutdown_send, ignored);
  move_deadline(kDrainTime);
  buffer_.consume(buffer_.size());
  for (std::size_t read = 0; read < 4 * kMaxSkippedBody;) {
    const bool came = co_await read_more(kMaxSkippedBody);
    if (!came) break;
    read += buffer_.size();
    buffer_.consume(buffer_.size());
  }
}

verifier::http::IpAddress Connection::client_of(const RequestHead& head, bool is_decision) const {
  using namespace verifier::http;
  if (!is_decision && !is_trusted_) return peer_;
  ForwardedLines lines;
  for (const Header& field : head.fields) {
    if (same_word(field.name, "X-Forwarded-For")) lines.x_forwarded_for.push_back(field.value);
  }
  if (lines.x_forwarded_for.empty()) return peer_;
  static const TrustedProxies whoever = TrustedProxies::whoever_connects();
  return client_address(peer_, is_decision ? whoever : shared_.plan.proxies,
                        ForwardedHeader::kXForwardedFor, lines);
}

asio::awaitable<void> Connection::keys_read(KeySource& source) {
  const auto timer = std::make_shared<asio::steady_timer>(thread_.io, SteadyTime::max());
  source.after_reading([timer, &io = thread_.io] { asio::post(io, [timer] { timer->cancel(); }); });
  co_await timer->async_wait(kAsTuple);
}

// What does not wait needs no frame of a coroutine: this is for the rest.
asio::awaitable<Decision> Connection::decide(const Request& request, RouteId route) {
  Guard::Attempt attempt = shared_.guard.begin(request, route);
  for (unsigned waited = 1; attempt.wait == Guard::Wait::kKeys; ++waited) {
    co_await keys_read(*attempt.keys);
    attempt = shared_.guard.begin(request, route, waited);
  }
  if (attempt.wait == Guard::Wait::kStore) {
    co_await shared_.waiting.run([&] {
      shared_.guard.spend(attempt);
      return true;
    });
  }
  co_return shared_.guard.finish(attempt, request);
}

void Connection::tell(const Decision& decision, std::string_view method, std::string_view path,
                      std::string_view client) {
  using enum verifier::http::LogLevel;
  const bool is_good = decision.reason == Reason::kOk || decision.reason == Reason::kPreflight ||
                       decision.reason == Reason::kOff;
  if (is_good && shared_.plan.log_level != kDebug) return;
  verifier::http::LogFields fields;
  fields.text("status", to_string(decision.status()))
      .text("reason", to_string(decision.reason))
      .text("maker", to_string(decision.maker))
      .boolean("enforced", decision.enforced)
      .text("route", shared_.guard.pattern(decision.route))
      .text("method", method.substr(0, 32))
      .text("path", shortened(path, kMaxLoggedPath))
      .text("client", client);
  if (!decision.device.empty()) fields.text("did", decision.device.view());
  if (!decision.token.empty()) fields.text("token_sha256", token_digest(decision.token));
  shared_.log.client(is_good ? kDebug : kWarning,
                     is_good             ? "decision.accepted"
                     : decision.enforced ? "decision.refused"
                                         : "decision.would_refuse",
                     fields);
}

// A body that nobody wants, when it is short.
asio::awaitable<bool> Connection::skip_body(const Framing& body) {
  if (body.kind == Framing::Kind::kNone) co_return true;
  if (body.kind != Framing::Kind::kLength || body.length > kMaxSkippedBody) co_return false;
  std::uint64_t left = body.length;
  while (true) {
    const std::size_t part =
        static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size()));
    buffer_.consume(part);
    left -= part;
    if (left == 0) co_return true;
    const bool came = co_await read_more(kMaxSkippedBody);
    if (!came) co_return false;
  }
}

// --- Decisions for other proxies
// -------------------------------------------------------------------

namespace {

// How a proxy tells of the request that it asks about. Each has a path of its own, so that no
// client can speak through a header that its proxy does not write.
struct Question {
  std::string_view method;
  std::string_view target;  // empty: not told
};

std::optional<Question> read_question(const RequestHead& head) {
  constexpr std::string_view kEnvoy = "/envoy";
  const std::string_view path = head.target.substr(0, head.target.find('?'));
  if (path == "/auth") {  // nginx, HAProxy
    return Question{head.find("X-Original-Method"), head.find("X-Original-URI")};
  }
  if (path == "/forward") {  // Traefik, Caddy
    return Question{head.find("X-Forwarded-Method"), head.find("X-Forwarded-Uri")};
  }
  if (head.target.starts_with(kEnvoy) && head.target.substr(kEnvoy.size()).starts_with('/')) {
    return Question{head.method, head.target.substr(kEnvoy.size())};
  }
  return std::nullopt;
}

}  // namespace

asio::awaitable<bool> Connection::serve_decision(const RequestHead& head) {
  const auto question = read_question(head);
  const bool has_body = head.body.kind != Framing::Kind::kNone;
  if (!question || has_body) {
    RequestHead last = head;
    last.keep_alive = false;
    co_await answer(last, question ? 413 : 404, "", "");
    co_await drain();
    co_return false;
  }
  RouteMatch match;
  std::string path;
  if (!shared_.plan.rules.empty()) {
    // Without the path no rule can be found, and the weakest would count for all.
    auto target = read_target(question->target);
    const auto found = target ? shared_.match(target->compared) : std::nullopt;
    if (!found) {
      ++shared_.refused_paths;
      shared_.log.client(verifier::http::LogLevel::kWarning, "path.refused",
                         {{"path", shortened(question->target, kMaxLoggedPath)}});
      const bool sent = co_await answer(head, 403, "Content-Type: application/json\r\n", "{}");
      co_return sent;
    }
    match = *found;
    path = std::move(target->compared);
  }
  const std::string client = client_of(head, true).to_string();
  const std::string_view method = question->method.empty() ? "GET" : question->method;
  const Request request{method, head.fields, client};
  Guard::Attempt attempt = shared_.guard.begin(request, match.route);
  Decision decision;
  if (attempt.wait == Guard::Wait::kNothing) {
    decision = shared_.guard.finish(attempt, request);
  } else {
    // The views of the header are of the buffer, which nobody fills meanwhile.
    decision = co_await decide(request, match.route);
  }
  tell(decision, method, path.empty() ? question->target : std::string_view(path), client);
  if (!decision.allowed) {
    const bool sent = co_await refuse(head);
    co_return sent;
  }
  std::string facts;
  facts.reserve(256);
  append_facts(facts, decision);
  const bool sent = co_await answer(head, 200, facts, "");
  co_return sent;
}

asio::awaitable<bool> Connection::serve_metrics(const RequestHead& head) {
  const bool skipped = co_await skip_body(head.body);
  if (!skipped) co_return false;
  const std::string_view path = head.target.substr(0, head.target.find('?'));
  if (head.method != "GET" && head.method != "HEAD") {
    const bool sent = co_await answer(head, 405, "Allow: GET, HEAD\r\n", "");
    co_return sent;
  }
  if (path == "/healthz") {
    const bool sent = co_await answer(head, 200, "Content-Type: text/plain\r\n", "ok\n");
    co_return sent;
  }
  if (path != "/metrics") {
    const bool sent = co_await answer(head, 404, "", "");
    co_return sent;
  }
  std::string body = shared_.guard.metrics();
  const auto add = [&body](const char* name, const char* kind, const char* help,
                           std::uint64_t value) {
    body.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    body.append(name).append(" ").append(kind).append("\n").append(name).append(" ");
    body.append(std::to_string(value)).append("\n");
  };
  add("touchmark_gateway_connections", "gauge", "Connections of clients that are open.",
      shared_.connections);
  add("touchmark_gateway_bad_requests_total", "counter", "Requests that were no strict HTTP/1.1.",
      shared_.bad_requests);
  add("touchmark_gateway_refused_paths_total", "counter",
      "Requests whose path two servers could read in two ways.", shared_.refused_paths);
  add("touchmark_gateway_upstream_failures_total", "counter",
      "Requests that an upstream did not answer, or not in time.", shared_.upstream_failures);
  const bool sent = co_await answer(head, 200, "Content-Type: text/plain; version=0.0.4\r\n", body);
  co_return sent;
}

}  // namespace touchmark::relying::gateway
