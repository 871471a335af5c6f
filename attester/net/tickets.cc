#include "attester/net/tickets.h"

#include <utility>

#include "attester/net/tls.h"
#include "crypto/openssl.h"

namespace touchmark::attester::net {
namespace {

using Session = openssl::Owned<SSL_SESSION, SSL_SESSION_free>;

// A copy, for OpenSSL spoils a session whose connection breaks, and on a phone most do. Tickets
// that were given over it stay good (RFC 5246 section 7.2.1).
Session copy_of(const SSL_SESSION* session) { return Session(SSL_SESSION_dup(session)); }

int origin_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

}  // namespace

struct Tickets::Origin {
  const Tickets* owner;
  const PinSet* pins;
  Session session;
  Clock::time_point proved;  // the full handshake that `session` goes back to
};

Tickets::Tickets(std::function<Clock::time_point()> now) : now_(std::move(now)) {}
Tickets::~Tickets() = default;

void Tickets::use_in(SSL_CTX* context, const std::string& name, const PinSet& pins) {
  auto found = origins_.find(name);
  if (found == origins_.end()) {
    // Contexts hold their origins, so none goes. No app has that many.
    if (origins_.size() >= kMostOrigins) return;
    found = origins_.emplace(name, std::make_unique<Origin>()).first;
  }
  found->second->owner = this;
  found->second->pins = &pins;
  SSL_CTX_set_ex_data(context, origin_index(), found->second.get());
  // libcurl, which has no cache of its own here, turns tickets of TLS 1.2 off.
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  // libcurl makes the connection, and asks nobody before its handshake. OpenSSL tells when that
  // begins.
  SSL_CTX_set_info_callback(context, on_state);
}

void Tickets::clear() { origins_.clear(); }

void Tickets::begin(SSL* connection, Origin& origin) const {
  const Session session = std::exchange(origin.session, nullptr);
  if (!session || now_() - origin.proved >= kMostWithoutProof ||
      SSL_SESSION_is_resumable(session.get()) != 1) {
    return;
  }
  // The peer shows no certificate this time, so the one of before is judged.
  X509* peer = SSL_SESSION_get0_peer(session.get());
  if (peer != nullptr && is_pinned(*origin.pins, peer)) SSL_set_session(connection, session.get());
}

void Tickets::on_state(const SSL* connection, int where, int) {
  auto* origin =
      static_cast<Origin*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), origin_index()));
  if (origin == nullptr) return;
  auto* mutable_connection = const_cast<SSL*>(connection);  // OpenSSL's own signature
  if ((where & SSL_CB_HANDSHAKE_START) != 0 && SSL_get_session(connection) == nullptr) {
    origin->owner->begin(mutable_connection, *origin);
  }
  // A server of TLS 1.2 gives a new ticket now and then: till then the old one goes on.
  if ((where & SSL_CB_HANDSHAKE_DONE) != 0 && SSL_version(connection) < TLS1_3_VERSION &&
      SSL_session_reused(connection) == 1 && !origin->session) {
    origin->session = copy_of(SSL_get_session(connection));
  }
}

int Tickets::on_new_session(SSL* connection, SSL_SESSION* session) {
  auto* origin =
      static_cast<Origin*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), origin_index()));
  if (origin == nullptr || SSL_SESSION_has_ticket(session) != 1) return 0;
  if (SSL_session_reused(connection) != 1) origin->proved = origin->owner->now_();
  origin->session = copy_of(session);
  return 0;  // the original stays OpenSSL's
}

}  // namespace touchmark::attester::net
