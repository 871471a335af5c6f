// The change of the service's own TLS key without a lockout: apps are told the pin of the next key
// first, those that know it are counted, and only then is it served.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "verifier/state/api_domains.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/devices.h"
#include "verifier/state/next_key.h"
#include "verifier/state/settings.h"

namespace touchmark::verifier::state {

enum class ServiceKeysError {
  kBadPin,       // no pin, or one that apps are told already
  kNoPin,        // the service does not make the next key itself, and no pin was given
  kHasNext,      // another key is the next one already
  kNoNext,       // there is none
  kNotKnownYet,  // apps that attested lately would refuse the service
  kNotServed,    // the key that the service serves with is not the next one
  kElsewhere,    // the proxy has the key, so it cannot be served from here
};
std::string_view error_id(ServiceKeysError error);

// Devices that passed within so long count as in use.
inline constexpr Seconds kInUse{std::int64_t{30} * 86400};

struct ServiceKeysState {
  std::vector<std::string> pins;  // that apps are told: the service's own key first, or the proxy's
  std::optional<NextKey> next;
  // Those in use, and of them those that have shown that they know the next key.
  model::DeviceCount devices;
  UnixTime since{};  // from when on devices are counted
};

// Thread-safe. Fails with ServiceKeysError, ApiError or StoreError, and has then changed nothing.
class ServiceKeys {
 public:
  // What is passed by reference must outlive this.
  ServiceKeys(AuditedStore& store, ApiDomains& domains, Devices& devices,
              const ServiceSettings& settings);

  Result<ServiceKeysState> show();
  // Tells apps of the next key. Without `pin`, of one that the service makes and keeps. The same
  // key again is no error.
  Result<ServiceKeysState> announce(const std::optional<std::string>& pin,
                                    const std::string& actor);
  // Apps are told of it no longer.
  Result<void> cancel(const std::string& actor);
  // Serves with the next key from now on. `anyway`: though devices in use do not know it.
  Result<ServiceKeysState> promote(bool anyway, const std::string& actor);

 private:
  Result<ServiceKeysState> read();

  AuditedStore& store_;
  ApiDomains& domains_;
  Devices& devices_;
  const ServiceSettings& settings_;
  Mutex changing_;
};

}  // namespace touchmark::verifier::state
