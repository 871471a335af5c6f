// What the transport needs of OpenSSL: the pin check and the channel binding.
#pragma once

#include <openssl/ssl.h>

#include <optional>

#include "attester/net/transport.h"

namespace touchmark::attester::net {

// Judges the peer by `pins` alone, in the handshake: a leaf certificate whose key is pinned is the
// service, whoever signed it, and no other is. Sets `refused` when a handshake fails for it.
struct PinCheck {
  PinSet pins;
  bool refused = false;
};
// `check` must outlive the context.
void use_pins(SSL_CTX* context, PinCheck& check);

// Whether the key of `certificate` is one of `pins`.
bool is_pinned(const PinSet& pins, X509* certificate);

// SHA-256 of a certificate's SubjectPublicKeyInfo; nullopt when it has none. Of DER: when that is
// no certificate, or more than one.
std::optional<Sha256Digest> certificate_pin(const X509* certificate);
std::optional<Sha256Digest> certificate_pin(ByteView der);

// Fails with kWeakTls for TLS 1.2 without extended master secret (RFC 7627), whose exporter does
// not name one connection (RFC 9266 section 3).
Result<TlsFacts> observe(SSL* connection);

}  // namespace touchmark::attester::net
