// What the transport knows of the connection that carried a request.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace touchmark::verifier::model {

struct Connection {
  std::string remote_ip;
  // RFC 9266 tls-exporter value of the connection; absent only where a proxy terminates TLS.
  std::optional<Bytes> exporter;
  // SHA-256 of the SPKI that this connection was shown; absent: the one that all are shown.
  std::optional<Sha256Digest> served_key = std::nullopt;
};

}  // namespace touchmark::verifier::model
