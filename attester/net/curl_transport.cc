#include <curl/curl.h>
#include <openssl/ssl.h>
#include <signal.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "attester/net/tickets.h"
#include "attester/net/tls.h"
#include "attester/net/transport.h"
#include "protocol/host_port.h"
#include "protocol/limits.h"

namespace touchmark::attester::net {
namespace {

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void initialise_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// Writing to a connection that the peer has closed raises SIGPIPE, whose default ends the app.
// libcurl would silence it for the whole process, which is not a library's to do; this does so for
// the thread.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoBrokenPipe() {
    if (!was_pending_) take_pending();  // the one that was raised here
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

 private:
  void take_pending() const {
#ifdef __APPLE__
    // There is no sigtimedwait; sigwait does not wait for what is pending.
    sigset_t pending;
    int taken = 0;
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1) sigwait(&pipe_, &taken);
#else
    constexpr timespec kNow{0, 0};
    sigtimedwait(&pipe_, nullptr, &kNow);
#endif
  }

  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

// The state of one exchange, which libcurl's callbacks reach through a pointer.
struct Exchange {
  CURL* curl = nullptr;
  const BodyMaker* make_body = nullptr;
  const std::atomic<bool>* cancelled = nullptr;
  PinCheck* check = nullptr;
  std::optional<std::string> body;
  std::size_t sent = 0;
  std::string answer;
  bool too_large = false;
  std::optional<Error> error;  // of the body maker or the observation of TLS
  std::exception_ptr thrown;   // in a callback: libcurl is C, and must not be unwound
};

// Runs a callback's work; what it throws ends the exchange with `failed` as the callback's answer.
template <class Answer, class Work>
Answer guarded(Exchange& exchange, Answer failed, const Work& work) noexcept {
  try {
    return work();
  } catch (...) {
    exchange.thrown = std::current_exception();
    return failed;
  }
}

// libcurl asks for the body after the handshake, when the connection it will go out on is known.
Result<std::string> make_body(Exchange& exchange) {
  curl_tlssessioninfo* session = nullptr;
  const CURLcode code = curl_easy_getinfo(exchange.curl, CURLINFO_TLS_SSL_PTR, &session);
  if (code != CURLE_OK || session == nullptr || session->backend != CURLSSLBACKEND_OPENSSL ||
      session->internals == nullptr) {
    return fail(TransportError::kWeakTls, "the connection's TLS state cannot be seen");
  }
  const Result<TlsFacts> facts = observe(static_cast<SSL*>(session->internals));
  if (!facts) return pass(facts);
  // Said again of the connection that is used, however it came about: a resumed one shows no
  // certificate to the check in the handshake.
  const PinSet& pins = exchange.check->pins;
  if (!pins.empty() && !pins_allow(pins, std::span(&facts->spki, 1))) {
    exchange.check->refused = true;
    return fail(TransportError::kUntrusted, "the key is not a pinned one");
  }
  return (*exchange.make_body)(*facts);
}

bool has_body(Exchange& exchange) {
  if (exchange.body) return true;
  Result<std::string> body = make_body(exchange);
  if (!body) {
    exchange.error = body.error();
    return false;
  }
  exchange.body = std::move(*body);
  return true;
}

std::size_t on_read(char* out, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (!guarded(exchange, false, [&] { return has_body(exchange); })) return CURL_READFUNC_ABORT;
  const std::size_t length = std::min(size * count, exchange.body->size() - exchange.sent);
  std::copy_n(exchange.body->data() + exchange.sent, length, out);
  exchange.sent += length;
  return length;
}

// libcurl rewinds when a kept connection turns out dead and it opens another: the body must be made
// again, for it names the connection.
int on_seek(void* context, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (origin != SEEK_SET || offset != 0) return CURL_SEEKFUNC_FAIL;
  exchange.body.reset();
  exchange.sent = 0;
  return CURL_SEEKFUNC_OK;
}

std::size_t on_write(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t length = size * count;
  if (exchange.answer.size() + length > protocol::kMaxAnswerBytes) {
    exchange.too_large = true;
    return 0;
  }
  return guarded(exchange, std::size_t{0}, [&] {
    exchange.answer.append(data, length);
    return length;
  });
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(context)->cancelled->load() ? 1 : 0;
}

// What connections to pinned keys have in common.
struct Pinned {
  PinCheck check;
  Tickets tickets;
  std::string origin;  // of the exchange at hand
};

CURLcode on_ssl_context(CURL*, void* context, void* user) {
  auto& pinned = *static_cast<Pinned*>(user);
  auto* tls = static_cast<SSL_CTX*>(context);
  use_pins(tls, pinned.check);
  pinned.tickets.use_in(tls, pinned.origin, pinned.check.pins);
  return CURLE_OK;
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(const std::atomic<bool>& cancelled)
      : cancelled_(cancelled), easy_(nullptr, curl_easy_cleanup) {}
  ~CurlTransport() override {
    const NoBrokenPipe guard;
    easy_.reset();  // says goodbye on the connections
  }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Result<HttpAnswer> post(const std::string& url, const PinSet& pins,
                          std::chrono::milliseconds timeout, const BodyMaker& body) override {
    const NoBrokenPipe guard;
    if (!easy_ || pinned_.check.pins != pins) open(pins);
    if (!easy_) return fail(TransportError::kBroken, "libcurl cannot be initialised");
    pinned_.check.refused = false;
    const auto host = protocol::parse_service_url(url);
    pinned_.origin = host ? to_string(*host) : url;
    Exchange exchange{.curl = easy_.get(),
                      .make_body = &body,
                      .cancelled = &cancelled_,
                      .check = &pinned_.check,
                      .body = {},
                      .answer = {},
                      .error = {},
                      .thrown = {}};
    attach(exchange, url, timeout);
    const CURLcode code = curl_easy_perform(easy_.get());
    if (exchange.thrown) std::rethrow_exception(exchange.thrown);
    if (code != CURLE_OK) return tl::unexpected<Error>(explain(code, exchange, url));
    HttpAnswer answer{.body = std::move(exchange.answer)};
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
  }

 private:
  // A new handle, and with it new connections and tickets: those of the old one were judged by
  // other pins.
  void open(const PinSet& pins) {
    easy_.reset();
    pinned_.tickets.clear();
    pinned_.check = {.pins = pins};
    initialise_curl_once();  // here and not when the app opens its client: it takes milliseconds
    easy_.reset(curl_easy_init());
    if (!easy_) return;
    headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    curl_slist_append(headers_.get(), "Transfer-Encoding: chunked");
    curl_slist_append(headers_.get(), "Expect:");  // no round trip before the body
    const auto set = [this](CURLoption option, auto value) {
      curl_easy_setopt(easy_.get(), option, value);
    };
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, "Touchmark/" TOUCHMARK_VERSION);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // libcurl's own cache uses a ticket again and again. Where trust roots decide, nothing resumes:
    // each connection shows its certificate.
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, on_progress);
    set(CURLOPT_READFUNCTION, on_read);
    set(CURLOPT_SEEKFUNCTION, on_seek);
    set(CURLOPT_WRITEFUNCTION, on_write);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    // A pinned key is the service's under whatever name it is reached; trust roots vouch for names.
    set(CURLOPT_SSL_VERIFYHOST, pins.empty() ? 2L : 0L);
    if (pins.empty()) return;
    set(CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
    set(CURLOPT_SSL_CTX_DATA, &pinned_);
  }

  void attach(Exchange& exchange, const std::string& url, std::chrono::milliseconds timeout) {
    const auto milliseconds = static_cast<long>(timeout.count());
    curl_easy_setopt(easy_.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_TIMEOUT_MS, milliseconds);
    curl_easy_setopt(easy_.get(), CURLOPT_CONNECTTIMEOUT_MS, std::max(milliseconds / 2, 100L));
    curl_easy_setopt(easy_.get(), CURLOPT_READDATA, &exchange);
    curl_easy_setopt(easy_.get(), CURLOPT_SEEKDATA, &exchange);
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(easy_.get(), CURLOPT_XFERINFODATA, &exchange);
  }

  Error explain(CURLcode code, const Exchange& exchange, const std::string& url) const {
    const std::string what = url + ": " + curl_easy_strerror(code);
    if (pinned_.check.refused)
      return {TransportError::kUntrusted, url + ": the key is not a pinned one"};
    if (exchange.error) return *exchange.error;
    if (exchange.too_large) return {TransportError::kTooLarge, url + ": the answer is too large"};
    switch (code) {
      case CURLE_PEER_FAILED_VERIFICATION:
        return {TransportError::kUntrusted, what};
      case CURLE_COULDNT_RESOLVE_HOST:
      case CURLE_COULDNT_RESOLVE_PROXY:
      case CURLE_COULDNT_CONNECT:
        return {TransportError::kUnreachable, what};
      case CURLE_OPERATION_TIMEDOUT: {
        curl_off_t connected = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_CONNECT_TIME_T, &connected);
        return {connected == 0 ? TransportError::kUnreachable : TransportError::kTimeout, what};
      }
      case CURLE_ABORTED_BY_CALLBACK:
        return {TransportError::kCancelled, "the client is being closed"};
      default:
        return {TransportError::kBroken, what};
    }
  }

  const std::atomic<bool>& cancelled_;
  Pinned pinned_;
  Headers headers_{nullptr, curl_slist_free_all};
  Easy easy_;
};

}  // namespace

std::unique_ptr<Transport> make_curl_transport(const std::atomic<bool>& cancelled) {
  return std::make_unique<CurlTransport>(cancelled);
}

}  // namespace touchmark::attester::net
