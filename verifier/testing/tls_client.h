// A raw HTTPS client for tests: it sends the bytes it is told to, also those that no library would.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace touchmark::verifier::testing {

struct TlsClientOptions {
  int max_version = 0;  // TLS1_2_VERSION, ...; 0: the newest
  bool no_extended_master_secret = false;
  SSL_SESSION* session = nullptr;  // to go on with
  int timeout_ms = 5000;
};

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One connection to 127.0.0.1. Certificates are not verified.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, TlsClientOptions options = {});
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // What a later connection may go on with: the newest ticket that came. nullptr without one.
  SSL_SESSION* session() const { return session_.get(); }
  Bytes exporter() const;
  Sha256Digest peer_spki() const;

  bool send(std::string_view bytes);
  // The next response; nullopt when the connection ends or the time is over.
  std::optional<RawResponse> receive();
  // The same for an answer to HEAD, which has no body whatever its Content-Length.
  std::optional<RawResponse> receive_head();
  // True when the other side closes before the time is over.
  bool closed();

  // `head`: further header lines, each with its \r\n.
  std::optional<RawResponse> request(const std::string& method, const std::string& path,
                                     const std::string& body = "", const std::string& head = "");

 private:
  bool read_more();
  int socket_ = -1;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace touchmark::verifier::testing
