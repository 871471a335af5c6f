#include "verifier/http/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "verifier/http/awaitable.h"

namespace touchmark::verifier::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// What a connection that waits holds: a phone's request as a rule comes whole into that. The rest
// is read straight into OpenSSL's buffer, which is given back when it is empty.
constexpr std::size_t kInboxBytes = 1024;
constexpr std::size_t kMostOutbox = 128 * 1024;  // then the client has to take some first
constexpr std::size_t kRecordBytes = 16 * 1024;  // sealed and sent at one go: one record of TLS
// One call of OpenSSL reads at most that, whatever a client sends, so that others have their turn.
constexpr std::size_t kMostRead = 64 * 1024;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

// Shared with the handler of the timer, which may be queued when the stream goes.
struct TlsStream::Impl : std::enable_shared_from_this<Impl> {
  explicit Impl(tcp::socket connected)
      : socket(std::move(connected)), timer(socket.get_executor()) {}

  // One wait at a time. A later deadline does not disturb it: it looks again when it ends.
  void watch() {
    if (watching && timer.expiry() <= deadline) return;
    watching = true;
    timer.expires_at(deadline);
    timer.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->watching = false;
      if (!self->busy) return;
      if (std::chrono::steady_clock::now() < self->deadline) return self->watch();
      error_code ignored;
      self->socket.close(ignored);
    });
  }

  void begin() {
    busy = true;
    watch();
  }

  // One call of OpenSSL's, and again until it has what it needs. `call` gives what SSL_read() and
  // its like give; `done`: what it gave at a first call that was made already.
  template <class Call>
  asio::awaitable<error_code> until_done(Call call, std::optional<int> done = std::nullopt);
  template <class Call>
  int ask(Call& call, std::size_t most) {
    ERR_clear_error();
    may_take = most;
    return call();
  }
  // Sends what is sealed, as much as the socket takes now: false when some is left.
  bool send_now(error_code& error);
  // Sends it all.
  asio::awaitable<error_code> flush();
  error_code failure_of(int reason);

  // The BIO.
  static BIO_METHOD* method();
  int take(char* out, std::size_t size, BIO* bio);
  int put(const char* bytes, std::size_t size, BIO* bio);

  tcp::socket socket;
  asio::steady_timer timer;
  std::chrono::steady_clock::time_point deadline{};
  bool watching = false;  // the timer runs
  bool busy = false;      // an operation runs: the time between two is the service's own
  bool ended = false;     // the client sends no more
  bool failed = false;    // OpenSSL must not be asked for more (SSL_get_error(3))
  error_code io_error;    // of the BIO
  std::size_t may_take = 0;
  std::string outbox;    // sealed
  std::size_t sent = 0;  // of outbox
  std::size_t inbox_begin = 0;
  std::size_t inbox_end = 0;
  std::array<char, kInboxBytes> inbox{};
  std::shared_ptr<ServedTls::Identity> identity;
  std::unique_ptr<SSL, FreeSsl> ssl;  // once there is something to read
};

BIO_METHOD* TlsStream::Impl::method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "touchmark");
    if (made == nullptr) return made;
    const auto self = [](BIO* bio) { return static_cast<Impl*>(BIO_get_data(bio)); };
    static constexpr auto kSelf = self;
    BIO_meth_set_read(made, [](BIO* bio, char* out, int size) {
      return size <= 0 ? 0 : kSelf(bio)->take(out, static_cast<std::size_t>(size), bio);
    });
    BIO_meth_set_write(made, [](BIO* bio, const char* bytes, int size) {
      return size <= 0 ? 0 : kSelf(bio)->put(bytes, static_cast<std::size_t>(size), bio);
    });
    BIO_meth_set_ctrl(made, [](BIO* bio, int what, long, void*) -> long {
      if (what == BIO_CTRL_EOF) return kSelf(bio)->ended ? 1 : 0;
      return what == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return kMethod;
}

int TlsStream::Impl::take(char* out, std::size_t size, BIO* bio) {
  BIO_clear_retry_flags(bio);
  if (inbox_begin < inbox_end) {
    size = std::min(size, inbox_end - inbox_begin);
    std::copy_n(inbox.data() + inbox_begin, size, out);
    inbox_begin += size;
    return static_cast<int>(size);
  }
  if (ended) return 0;
  if (may_take == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t got = socket.read_some(asio::buffer(out, std::min(size, may_take)), io_error);
  if (!io_error) {
    may_take -= got;
    return static_cast<int>(got);
  }
  if (io_error == asio::error::would_block || io_error == asio::error::try_again) {
    io_error.clear();
    may_take = 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  ended = io_error == asio::error::eof;
  return ended ? 0 : -1;
}

int TlsStream::Impl::put(const char* bytes, std::size_t size, BIO* bio) {
  BIO_clear_retry_flags(bio);
  if (outbox.size() > kMostOutbox) {
    BIO_set_retry_write(bio);
    return -1;
  }
  outbox.append(bytes, size);
  return static_cast<int>(size);
}

bool TlsStream::Impl::send_now(error_code& error) {
  while (sent < outbox.size()) {
    sent += socket.write_some(asio::buffer(outbox.data() + sent, outbox.size() - sent), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      error.clear();
      return false;
    }
    if (error) break;
  }
  outbox = std::string();
  sent = 0;
  return true;
}

asio::awaitable<error_code> TlsStream::Impl::flush() {
  error_code error;
  while (!send_now(error)) {
    std::tie(error) = co_await socket.async_wait(tcp::socket::wait_write, kAsTuple);
    if (error) break;
  }
  co_return error;
}

error_code TlsStream::Impl::failure_of(int reason) {
  if (reason == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  failed = true;
  const unsigned long code = ERR_get_error();
  if (ended || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return asio::ssl::error::stream_truncated;
  }
  if (io_error) return io_error;
  if (code == 0) return asio::error::connection_aborted;
  return {static_cast<int>(code), asio::error::get_ssl_category()};
}

template <class Call>
asio::awaitable<error_code> TlsStream::Impl::until_done(Call call, std::optional<int> done) {
  // Only where the inbox was full is there more, as a rule; to look for it costs a system call.
  bool is_more = false;
  while (true) {
    if (!done) done = ask(call, is_more ? kMostRead : 0);
    const int reason = *done > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl.get(), *done);
    done.reset();
    if (reason == SSL_ERROR_NONE) co_return error_code();
    error_code error;
    if (!outbox.empty() && !send_now(error)) error = co_await flush();
    if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
      co_return failure_of(reason);
    if (!error && reason == SSL_ERROR_WANT_READ) {
      std::size_t got = 0;
      std::tie(error, got) = co_await socket.async_read_some(asio::buffer(inbox), kAsTuple);
      inbox_begin = 0;
      inbox_end = got;
      is_more = got == inbox.size();
      if (error == asio::error::eof) {
        ended = true;  // OpenSSL hears it from the BIO
        error.clear();
      }
    }
    if (error) co_return error;
  }
}

TlsStream::TlsStream(tcp::socket socket) : impl_(std::make_shared<Impl>(std::move(socket))) {}

TlsStream::~TlsStream() = default;

asio::any_io_executor TlsStream::executor() { return impl_->socket.get_executor(); }

tcp::endpoint TlsStream::peer(error_code& error) const {
  return impl_->socket.remote_endpoint(error);
}

SSL* TlsStream::native_handle() { return impl_->ssl.get(); }

void TlsStream::expires_after(std::chrono::steady_clock::duration time) {
  impl_->deadline = std::chrono::steady_clock::now() + time;
}

void TlsStream::cancel() {
  error_code ignored;
  impl_->socket.cancel(ignored);
}

void TlsStream::abort() {
  error_code ignored;
  impl_->socket.close(ignored);
}

asio::awaitable<error_code> TlsStream::first_byte() {
  // As a rule it has: the kernel keeps back those that are silent.
  error_code error;
  if (impl_->socket.available(error) > 0 && !error) co_return error;
  impl_->begin();
  std::tie(error) = co_await impl_->socket.async_wait(tcp::socket::wait_read, kAsTuple);
  impl_->busy = false;
  co_return error;
}

bool TlsStream::has_record() {
  constexpr std::size_t kHead = 5;  // type, version, length (RFC 8446 section 5.1)
  std::array<unsigned char, kHead> head{};
  error_code error;
  const std::size_t available = impl_->socket.available(error);
  if (error || available < kHead) return false;
  const std::size_t got =
      impl_->socket.receive(asio::buffer(head), tcp::socket::message_peek, error);
  if (error || got < kHead) return false;
  return available >= kHead + (std::size_t{head[3]} << 8U) + head[4];
}

asio::awaitable<error_code> TlsStream::handshake(std::shared_ptr<ServedTls::Identity> identity,
                                                 std::uint8_t group) {
  impl_->identity = std::move(identity);
  error_code error;
  impl_->socket.non_blocking(true, error);
  // An answer is written whole, so there is nothing to wait for.
  if (!error) impl_->socket.set_option(tcp::no_delay(true), error);
  if (error) co_return error;
  impl_->ssl.reset(SSL_new(impl_->identity->context.native_handle()));
  SSL* ssl = impl_->ssl.get();
  BIO* bio = ssl == nullptr ? nullptr : BIO_new(Impl::method());
  if (bio == nullptr) co_return asio::error::no_memory;
  BIO_set_data(bio, impl_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> session{};
  const auto leaf = uchars(ByteView(impl_->identity->leaf_sha256));
  std::copy_n(leaf, session.size() - 1, session.begin());
  session.back() = group;
  SSL_set_session_id_context(ssl, session.data(), session.size());
  // What has come already is answered without another wait.
  impl_->inbox_end = impl_->socket.read_some(asio::buffer(impl_->inbox), error);
  impl_->begin();
  error = co_await impl_->until_done([ssl] { return SSL_accept(ssl); });
  impl_->busy = false;
  co_return error;
}

asio::awaitable<TlsStream::Read> TlsStream::read_some(asio::mutable_buffer into) {
  impl_->begin();
  Read read;
  read.error = co_await impl_->until_done(
      [&] { return SSL_read_ex(impl_->ssl.get(), into.data(), into.size(), &read.bytes); });
  impl_->busy = false;
  co_return read;
}

asio::awaitable<error_code> TlsStream::write(std::string_view bytes) {
  impl_->begin();
  error_code error;
  while (!bytes.empty() && !error) {
    const std::string_view piece = bytes.substr(0, kRecordBytes);
    std::size_t written = 0;
    const auto seal = [&] {
      return SSL_write_ex(impl_->ssl.get(), piece.data(), piece.size(), &written);
    };
    // As a rule all of it goes out at once.
    const int done = impl_->ask(seal, 0);
    if (done <= 0) error = co_await impl_->until_done(seal, done);
    bytes.remove_prefix(written);
    if (!error && !impl_->send_now(error)) error = co_await impl_->flush();
  }
  impl_->busy = false;
  co_return error;
}

asio::awaitable<void> TlsStream::close() {
  impl_->begin();
  error_code error;
  if (impl_->ssl && !impl_->failed) {
    ERR_clear_error();
    SSL_shutdown(impl_->ssl.get());
    error = co_await impl_->flush();
  }
  if (!error && !impl_->ended) impl_->socket.shutdown(tcp::socket::shutdown_send, error);
  // Closed with something unread, the kernel resets the connection, and what was sent last is lost.
  while (!error && !impl_->ended) {
    std::tie(error, std::ignore) =
        co_await impl_->socket.async_read_some(asio::buffer(impl_->inbox), kAsTuple);
  }
  impl_->busy = false;
  error_code ignored;
  impl_->socket.close(ignored);
  impl_->timer.cancel();
}

}  // namespace touchmark::verifier::http
