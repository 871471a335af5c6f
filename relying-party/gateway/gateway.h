// The gateway: the check of tokens before an API that does not check them itself. As a reverse
// proxy that hands on what it may, and as what another proxy asks (nginx's auth_request, Traefik's
// ForwardAuth, Envoy's ext_authz over HTTP, HAProxy).
#pragma once

#include <memory>
#include <vector>

#include "base/error.h"
#include "relying-party/gateway/options.h"

namespace touchmark::relying::gateway {

class Gateway {
 public:
  // Listens. Where it fails, an error of verifier::http::ServerError or of the check.
  static Result<std::unique_ptr<Gateway>> start(Plan plan,
                                                std::unique_ptr<verifier::http::Log> log);
  virtual ~Gateway() = default;

  // Serves until stop(); requests that are under way then have the drain time.
  virtual void run() = 0;
  // From any thread, and from a handler of signals of this process's io_context.
  virtual void stop() = 0;
  // Where it listens: with the port that the system chose for port 0.
  struct Listening {
    const char* what;  // "proxy", "decisions", "metrics"
    Address address;
  };
  virtual const std::vector<Listening>& listening() const = 0;
};

}  // namespace touchmark::relying::gateway
