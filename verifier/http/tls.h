// TLS as the service offers it, and what of a connection evidence is bound to.
#pragma once

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "verifier/http/ticket_keys.h"

namespace touchmark::verifier::http {

enum class TlsError { kBadIdentity };
std::string_view error_id(TlsError error);

struct TlsIdentity {
  std::string certificate_pem;  // chain, leaf first
  std::string key_pem;
};

// TLS 1.2 and 1.3, forward-secret AEAD suites, no renegotiation, no compression, no early data.
// Sessions resume by tickets alone, and only with a new key exchange in TLS 1.3.
Result<boost::asio::ssl::context> make_tls_context(const TlsIdentity& identity);

// What connections are shown. Thread-safe: it can be replaced while the service runs, and a
// connection keeps what it began with. A session goes on under the certificate that it began with,
// and no other.
class ServedTls {
 public:
  struct Identity {
    std::shared_ptr<TicketKeys> tickets;
    boost::asio::ssl::context context;  // uses them
    Sha256Digest spki_sha256;           // of the leaf's key
    Sha256Digest leaf_sha256;           // of the leaf
  };
  explicit ServedTls(boost::asio::ssl::context context) { replace(std::move(context)); }

  std::shared_ptr<Identity> current() const {
    const MutexLock lock(mutex_);
    return current_;
  }
  void replace(boost::asio::ssl::context context);
  // To be called every few seconds: keys of tickets end when their time is over.
  void housekeep() { current()->tickets->wipe_old(); }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<Identity> current_ GUARDED_BY(mutex_);
};

// The exporter value "EXPORTER-Channel-Binding" (RFC 9266), 32 bytes. Absent for a TLS 1.2
// connection without the extended master secret (RFC 7627): its keys do not identify it, and it
// must not be served.
std::optional<Bytes> channel_binding(SSL* connection);

}  // namespace touchmark::verifier::http
