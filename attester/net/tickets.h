// What a transport keeps of its TLS sessions, so that its next connection costs both ends less
// (RFC 8446 section 2.2). In memory alone.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "attester/core/config.h"

namespace touchmark::attester::net {

// The newest ticket of each origin. It is used for one connection and then given up, so that two
// connections do not show the same one (RFC 8446 appendix C.4). Not thread-safe, as its transport.
class Tickets {
 public:
  using Clock = std::chrono::steady_clock;
  // A resumed connection shows that its peer knows the ticket's secret. At least this often, a peer
  // shows that it holds its key.
  static constexpr std::chrono::hours kMostWithoutProof{24};
  static constexpr std::size_t kMostOrigins = 16;

  explicit Tickets(std::function<Clock::time_point()> now = Clock::now);
  ~Tickets();
  Tickets(const Tickets&) = delete;
  Tickets& operator=(const Tickets&) = delete;

  // Connections of `context` go to `origin`: each goes on with what is kept for it, if its peer's
  // key is one of `pins`, and leaves what it gets. Both must outlive the context.
  void use_in(SSL_CTX* context, const std::string& origin, const PinSet& pins);
  // When `pins` change, or what else a connection is judged by. Contexts of before must be gone.
  void clear();

 private:
  struct Origin;
  static int on_new_session(SSL* connection, SSL_SESSION* session);
  static void on_state(const SSL* connection, int where, int result);
  void begin(SSL* connection, Origin& origin) const;

  const std::function<Clock::time_point()> now_;
  std::map<std::string, std::unique_ptr<Origin>> origins_;
};

}  // namespace touchmark::attester::net
