#include "verifier/http/tls.h"

#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/buffer.hpp>

namespace touchmark::verifier::http {
namespace {

constexpr std::string_view kExporterLabel = "EXPORTER-Channel-Binding";
constexpr std::size_t kExporterBytes = 32;
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
// AES-128 first: its suite derives keys with SHA-256, which is a tenth of a handshake's price less
// than SHA-384.
constexpr const char* kTls13Ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

// We speak HTTP/1.1 only; a client that offers no ALPN gets it too.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length,
                    const unsigned char* offered, unsigned offered_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kHttp11, sizeof kHttp11 - 1, offered,
                            offered_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::string_view error_id(TlsError error) {
  using enum TlsError;
  static constexpr auto kIds = error_table<TlsError>({
      {kBadIdentity, "tls.bad-identity"},
  });
  return kIds[error];
}

Result<boost::asio::ssl::context> make_tls_context(const TlsIdentity& identity) {
  namespace ssl = boost::asio::ssl;
  ssl::context context(ssl::context::tls_server);
  boost::system::error_code error;
  context.use_certificate_chain(boost::asio::buffer(identity.certificate_pem), error);
  if (!error) {
    context.use_private_key(boost::asio::buffer(identity.key_pem), ssl::context::pem, error);
  }
  SSL_CTX* raw = context.native_handle();
  if (error || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(raw, kTls12Ciphers) != 1 ||
      SSL_CTX_set_ciphersuites(raw, kTls13Ciphers) != 1 ||
      SSL_CTX_set1_groups_list(raw, kGroups) != 1) {
    return fail(TlsError::kBadIdentity,
                error ? error.message() : "OpenSSL does not take the service's TLS settings");
  }
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Idle connections give their record buffers back: most of what a connection costs.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  // A client keeps its session in its ticket, so a flood of clients fills nothing here. One ticket
  // a connection: a phone has one connection at a time.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 1);
  // What is sent in early data can be replayed.
  SSL_CTX_set_max_early_data(raw, 0);
  return context;
}

void ServedTls::replace(boost::asio::ssl::context context) {
  Sha256Digest key{};
  Sha256Digest leaf{};
  const auto digest = [](unsigned char* der, int size, Sha256Digest& into) {
    if (size > 0) SHA256(der, static_cast<std::size_t>(size), uchars(std::span<std::byte>(into)));
    OPENSSL_free(der);
  };
  if (const X509* shown = SSL_CTX_get0_certificate(context.native_handle()); shown != nullptr) {
    unsigned char* der = nullptr;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(shown), &der);
    digest(der, size, key);
    der = nullptr;
    size = i2d_X509(shown, &der);
    digest(der, size, leaf);
  }
  const auto before = current();
  // The same certificate again: a log was rotated, and phones need not notice.
  auto tickets =
      before && before->leaf_sha256 == leaf ? before->tickets : std::make_shared<TicketKeys>();
  tickets->use_in(context.native_handle());
  auto made =
      std::make_shared<Identity>(Identity{std::move(tickets), std::move(context), key, leaf});
  const MutexLock lock(mutex_);
  current_ = std::move(made);
}

std::optional<Bytes> channel_binding(SSL* connection) {
  if (SSL_version(connection) < TLS1_3_VERSION && SSL_get_extms_support(connection) != 1) {
    return std::nullopt;
  }
  Bytes value(kExporterBytes);
  // RFC 9266: a context is used, and it is of zero length. TLS 1.2 tells that from none.
  static constexpr unsigned char kNoContext = 0;
  if (SSL_export_keying_material(connection, uchars(std::span(value)), value.size(),
                                 kExporterLabel.data(), kExporterLabel.size(), &kNoContext, 0,
                                 1) != 1) {
    return std::nullopt;
  }
  return value;
}

}  // namespace touchmark::verifier::http
