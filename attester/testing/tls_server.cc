#include "attester/testing/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "attester/testing/certificate.h"
#include "crypto/crypto.h"

namespace touchmark::attester::testing {
namespace {

// Reads one request off the connection; nullopt at its end.
class RequestReader {
 public:
  explicit RequestReader(SSL* ssl) : ssl_(ssl) {}

  std::optional<ServedRequest> next() {
    const std::optional<std::string> head = until("\r\n\r\n");
    if (!head) return std::nullopt;
    ServedRequest out;
    const std::size_t start = head->find(' ') + 1;
    out.path = head->substr(start, head->find(' ', start) - start);
    for (;;) {  // the client under test always sends chunks
      const std::optional<std::string> size = until("\r\n");
      if (!size) return std::nullopt;
      const std::size_t length = std::stoul(*size, nullptr, 16);
      const std::optional<std::string> chunk = exactly(length + 2);
      if (!chunk) return std::nullopt;
      if (length == 0) return out;
      out.body.append(*chunk, 0, length);
    }
  }

 private:
  bool more() {
    std::array<char, 16384> buffer;
    const int got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) return false;
    held_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  std::optional<std::string> until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = held_.find(mark)) == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    return take(at + mark.size());
  }
  std::optional<std::string> exactly(std::size_t length) {
    while (held_.size() < length) {
      if (!more()) return std::nullopt;
    }
    return take(length);
  }
  std::string take(std::size_t length) {
    std::string out = held_.substr(0, length);
    held_.erase(0, length);
    return out;
  }

  SSL* ssl_;
  std::string held_;
};

Bytes exporter_of(SSL* ssl) {
  static constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  static constexpr unsigned char kNoContext = 0;
  Bytes out(32);
  SSL_export_keying_material(ssl, uchars(std::span(out)), out.size(), kLabel.data(), kLabel.size(),
                             &kNoContext, 0, 1);
  return out;
}

}  // namespace

struct TlsServer::Tls {
  openssl::Owned<SSL_CTX, SSL_CTX_free> context;
};

TlsServer::TlsServer(Handler handler, const ServerOptions& options)
    : handler_(std::move(handler)), tls_(std::make_unique<Tls>()) {
  const openssl::Pkey key(EVP_EC_gen("P-256"));
  const Certificate certificate = self_signed(key.get(), options.host);
  tls_->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(tls_->context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(tls_->context.get(), key.get());
  if (options.max_tls_version != 0) {
    SSL_CTX_set_max_proto_version(tls_->context.get(), options.max_tls_version);
  }
  if (!options.extended_master_secret) {
    SSL_CTX_set_options(tls_->context.get(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  }
  spki_ = crypto::sha256(as_bytes(spki_of(key.get())));

  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  openssl::require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::listen(listener_, 16) == 0,
                   "a listening socket");
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] {
    // Inherited by the threads that serve: a client may go away while they write.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    accept_loop();
  });
}

TlsServer::~TlsServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

void TlsServer::accept_loop() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int number = ++connections_;
    {
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
    }
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void TlsServer::serve(int fd, int number) {
  const openssl::Owned<SSL, SSL_free> ssl(SSL_new(tls_->context.get()));
  SSL_set_fd(ssl.get(), fd);
  if (SSL_accept(ssl.get()) == 1) {
    RequestReader reader(ssl.get());
    while (std::optional<ServedRequest> request = reader.next()) {
      request->exporter = exporter_of(ssl.get());
      request->connection = number;
      request->resumed = SSL_session_reused(ssl.get()) == 1;
      const ServerReply reply = handler_(*request);
      if (reply.hang_up) break;
      const std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                               " X\r\nContent-Length: " + std::to_string(reply.body.size()) +
                               "\r\n\r\n" + reply.body;
      if (SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())) <= 0) break;
      if (!reply.keep_alive) break;
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

}  // namespace touchmark::attester::testing
