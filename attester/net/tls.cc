#include "attester/net/tls.h"

#include <openssl/x509.h>

#include <string_view>

#include "crypto/openssl.h"

namespace touchmark::attester::net {
namespace {

using Certificate = openssl::Owned<X509, X509_free>;

constexpr std::string_view kExporterLabel = "EXPORTER-Channel-Binding";  // RFC 9266 section 4.2

// Called by OpenSSL, which is C.
int verify_pins(X509_STORE_CTX* store, void* context) noexcept {
  auto& check = *static_cast<PinCheck*>(context);
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (leaf != nullptr && is_pinned(check.pins, leaf)) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  check.refused = true;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

}  // namespace

void use_pins(SSL_CTX* context, PinCheck& check) {
  SSL_CTX_set_cert_verify_callback(context, verify_pins, &check);
}

std::optional<Sha256Digest> certificate_pin(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return std::nullopt;
  const Sha256Digest digest =
      crypto::sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(length))));
  OPENSSL_free(der);
  return digest;
}

bool is_pinned(const PinSet& pins, X509* certificate) {
  const std::optional<Sha256Digest> digest = certificate_pin(certificate);
  return digest && pins_allow(pins, std::span(&*digest, 1));
}

std::optional<Sha256Digest> certificate_pin(ByteView der) {
  const unsigned char* cursor = uchars(der);
  const Certificate certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (!certificate || cursor != uchars(der) + der.size()) return std::nullopt;
  return certificate_pin(certificate.get());
}

Result<TlsFacts> observe(SSL* connection) {
  if (SSL_version(connection) < TLS1_3_VERSION && SSL_get_extms_support(connection) != 1) {
    return fail(TransportError::kWeakTls, "TLS 1.2 without extended master secret");
  }
  TlsFacts facts;
  facts.exporter.resize(32);
  // The context is a zero-length string, which in TLS 1.2 differs from no context.
  const int exported = SSL_export_keying_material(
      connection, uchars(std::span(facts.exporter)), facts.exporter.size(), kExporterLabel.data(),
      kExporterLabel.size(), reinterpret_cast<const unsigned char*>(""), 0, 1);
  const Certificate peer(SSL_get1_peer_certificate(connection));
  const std::optional<Sha256Digest> spki = peer ? certificate_pin(peer.get()) : std::nullopt;
  if (exported != 1 || !spki) {
    return fail(TransportError::kWeakTls, "the connection has no exporter or no peer certificate");
  }
  facts.spki = *spki;
  return facts;
}

}  // namespace touchmark::attester::net
