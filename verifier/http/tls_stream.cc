#include "verifier/http/tls_stream.h"

#include <array>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "verifier/http/awaitable.h"

namespace touchmark::verifier::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

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

  tcp::socket socket;
  std::shared_ptr<ServedTls::Identity> identity;
  std::optional<asio::ssl::stream<tcp::socket&>> stream;  // once there is something to read
  asio::steady_timer timer;
  std::chrono::steady_clock::time_point deadline{};
  bool watching = false;  // the timer runs
  bool busy = false;      // an operation runs: the time between two is the service's own
};

TlsStream::TlsStream(tcp::socket socket) : impl_(std::make_shared<Impl>(std::move(socket))) {}

TlsStream::~TlsStream() = default;

asio::any_io_executor TlsStream::executor() { return impl_->socket.get_executor(); }

tcp::endpoint TlsStream::peer(error_code& error) const {
  return impl_->socket.remote_endpoint(error);
}

SSL* TlsStream::native_handle() { return impl_->stream->native_handle(); }

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
  impl_->begin();
  const auto [error] = co_await impl_->socket.async_wait(tcp::socket::wait_read, kAsTuple);
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

asio::awaitable<error_code> TlsStream::handshake(std::shared_ptr<ServedTls::Identity> identity) {
  impl_->identity = std::move(identity);
  impl_->stream.emplace(impl_->socket, impl_->identity->context);
  impl_->begin();
  const auto [error] =
      co_await impl_->stream->async_handshake(asio::ssl::stream_base::server, kAsTuple);
  impl_->busy = false;
  co_return error;
}

asio::awaitable<TlsStream::Read> TlsStream::read_some(asio::mutable_buffer into) {
  impl_->begin();
  const auto [error, bytes] = co_await impl_->stream->async_read_some(into, kAsTuple);
  impl_->busy = false;
  co_return Read{error, bytes};
}

asio::awaitable<error_code> TlsStream::write(std::string_view bytes) {
  impl_->begin();
  error_code error;
  while (!bytes.empty() && !error) {
    std::size_t written = 0;
    std::tie(error, written) = co_await impl_->stream->async_write_some(
        asio::const_buffer(bytes.data(), bytes.size()), kAsTuple);
    bytes.remove_prefix(written);
  }
  impl_->busy = false;
  co_return error;
}

asio::awaitable<void> TlsStream::close() {
  impl_->begin();
  co_await impl_->stream->async_shutdown(kAsTuple);
  impl_->busy = false;
  error_code ignored;
  impl_->socket.close(ignored);
  impl_->timer.cancel();
}

}  // namespace touchmark::verifier::http
