#include "verifier/testing/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "crypto/crypto.h"

namespace touchmark::verifier::testing {

TlsClient::TlsClient(std::uint16_t port, TlsClientOptions options)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      ssl_(nullptr, SSL_free),
      session_(nullptr, SSL_SESSION_free) {
  // Writing to a connection that the service has closed is a result here, not the end of the test.
  std::signal(SIGPIPE, SIG_IGN);
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval timeout{options.timeout_ms / 1000, options.timeout_ms % 1000 * 1000};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
  // So that versions which the service must refuse can be offered at all.
  SSL_CTX_set_security_level(context_.get(), 0);
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
  if (options.max_version != 0) SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
  if (options.no_extended_master_secret) {
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  }
  SSL_CTX_set_session_cache_mode(context_.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context_.get(), this);
  SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    self->session_.reset(SSL_SESSION_dup(session));
    return 0;
  });
  ssl_.reset(SSL_new(context_.get()));
  if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  SSL_set_fd(ssl_.get(), socket_);
  connected_ = SSL_connect(ssl_.get()) == 1;
  ERR_clear_error();
}

TlsClient::~TlsClient() {
  if (socket_ >= 0) ::close(socket_);
}

Bytes TlsClient::exporter() const {
  Bytes value(32);
  static constexpr char kLabel[] = "EXPORTER-Channel-Binding";
  static constexpr unsigned char kNoContext = 0;
  SSL_export_keying_material(ssl_.get(), uchars(std::span(value)), value.size(), kLabel,
                             sizeof kLabel - 1, &kNoContext, 0, 1);
  return value;
}

Sha256Digest TlsClient::peer_spki() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  const Bytes spki(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  return crypto::sha256(spki);
}

bool TlsClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t written = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) {
      ERR_clear_error();
      return false;
    }
    bytes.remove_prefix(written);
  }
  return true;
}

bool TlsClient::read_more() {
  char piece[16384];
  std::size_t got = 0;
  if (SSL_read_ex(ssl_.get(), piece, sizeof piece, &got) != 1) {
    ERR_clear_error();
    return false;
  }
  buffer_.append(piece, got);
  return true;
}

std::optional<RawResponse> TlsClient::receive_head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  RawResponse response;
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  response.status = std::stoi(head.substr(9, 3));
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    response.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  return response;
}

std::optional<RawResponse> TlsClient::receive() {
  auto response = receive_head();
  if (!response) return std::nullopt;
  const auto length = response->headers.find("content-length");
  const std::size_t size = length == response->headers.end() ? 0 : std::stoul(length->second);
  while (buffer_.size() < size) {
    if (!read_more()) return std::nullopt;
  }
  response->body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return response;
}

bool TlsClient::closed() {
  while (buffer_.size() < (1U << 20)) {
    char piece[16384];
    std::size_t got = 0;
    const int ok = SSL_read_ex(ssl_.get(), piece, sizeof piece, &got);
    if (ok == 1) {
      buffer_.append(piece, got);
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), ok);
    ERR_clear_error();
    // A receive timeout shows as SYSCALL with EAGAIN, or as a wish to read again.
    if (error == SSL_ERROR_WANT_READ) return false;
    return error != SSL_ERROR_SYSCALL || (errno != EAGAIN && errno != EWOULDBLOCK);
  }
  return false;
}

std::optional<RawResponse> TlsClient::request(const std::string& method, const std::string& path,
                                              const std::string& body, const std::string& head) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + head;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!send(text + "\r\n" + body)) return std::nullopt;
  return receive();
}

}  // namespace touchmark::verifier::testing
