// One HTTPS exchange with the service, and what was seen of the TLS connection that carried it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "attester/core/config.h"
#include "attester/core/error.h"

namespace touchmark::attester::net {

// The connection, as the client sees it.
struct TlsFacts {
  Bytes exporter;       // RFC 9266 tls-exporter channel binding, 32 bytes
  Sha256Digest spki{};  // SHA-256 of the peer's DER SubjectPublicKeyInfo
};

struct HttpAnswer {
  long status = 0;
  std::string body;
};

// Makes the body once the TLS handshake is done, and again should the exchange move to another
// connection: what it signs names the very connection that carries it.
using BodyMaker = std::function<Result<std::string>(const TlsFacts&)>;

// Not thread-safe: one exchange at a time. Keeps its connection open between exchanges.
class Transport {
 public:
  virtual ~Transport() = default;
  // POSTs JSON. `pins`: the service's own; empty means the platform's trust roots and the host name
  // decide. `timeout` bounds the whole exchange. An error of `body` comes back unchanged, and so
  // does what it throws.
  virtual Result<HttpAnswer> post(const std::string& url, const PinSet& pins,
                                  std::chrono::milliseconds timeout, const BodyMaker& body) = 0;
};

// Over libcurl. Exchanges end early once `cancelled` is set.
std::unique_ptr<Transport> make_curl_transport(const std::atomic<bool>& cancelled);

}  // namespace touchmark::attester::net
