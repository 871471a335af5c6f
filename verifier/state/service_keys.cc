#include "verifier/state/service_keys.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::verifier::state {
namespace {

tl::unexpected<Error> no_next() {
  return fail(ServiceKeysError::kNoNext,
              "apps are told of no next key; `touchmark service key next` announces one");
}

}  // namespace

std::string_view error_id(ServiceKeysError error) {
  using enum ServiceKeysError;
  static constexpr auto kIds = error_table<ServiceKeysError>({
      {kBadPin, "service-keys.bad-pin"},
      {kNoPin, "service-keys.no-pin"},
      {kHasNext, "service-keys.has-next"},
      {kNoNext, "service-keys.no-next"},
      {kNotKnownYet, "service-keys.not-known-yet"},
      {kNotServed, "service-keys.not-served"},
      {kElsewhere, "service-keys.elsewhere"},
  });
  return kIds[error];
}

ServiceKeys::ServiceKeys(AuditedStore& store, ApiDomains& domains, Devices& devices,
                         const ServiceSettings& settings)
    : store_(store), domains_(domains), devices_(devices), settings_(settings) {}

Result<ServiceKeysState> ServiceKeys::show() { return read(); }

Result<ServiceKeysState> ServiceKeys::read() {
  ServiceKeysState out{domains_.service_pins(), domains_.next_key(), {}, store_.now() - kInUse};
  auto devices = devices_.count(
      out.since, out.next ? out.next->config_version : domains_.configuration()->version);
  if (!devices) return pass(devices);
  out.devices = *devices;
  return out;
}

Result<ServiceKeysState> ServiceKeys::announce(const std::optional<std::string>& pin,
                                               const std::string& actor) {
  const MutexLock lock(changing_);
  const auto present = domains_.next_key();
  if (!pin && !settings_.keys.make_next) {
    return fail(ServiceKeysError::kNoPin,
                settings_.tls_terminated_by_proxy
                    ? "apps meet the proxy's key: name the pin of its next one"
                    : "the service serves with --cert and --key: name the pin of the next key");
  }
  if (pin && !base64_digest(*pin)) {
    return fail(ServiceKeysError::kBadPin, "the pin is not the padded base64 of a SHA-256");
  }
  if (present && (pin ? *pin != present->pin : !present->is_kept_here)) {
    return fail(ServiceKeysError::kHasNext, "apps are told of another next key, " + present->pin);
  }
  if (present) return read();
  NextKey next{.pin = pin.value_or(""), .announced = store_.now(), .actor = actor};
  if (!pin) {
    auto made = settings_.keys.make_next();
    if (!made) return pass(made);
    next.pin = std::move(*made);
    next.is_kept_here = true;
  }
  const auto pins = domains_.service_pins();
  if (!pins.empty() && pins.front() == next.pin) {
    return fail(ServiceKeysError::kBadPin, next.pin + " is the pin of the key that is served now");
  }
  if (auto ok = domains_.set_next_key(std::move(next), "service-key.next", actor); !ok) {
    return pass(ok);
  }
  return read();
}

Result<void> ServiceKeys::cancel(const std::string& actor) {
  const MutexLock lock(changing_);
  if (!domains_.next_key()) return no_next();
  return domains_.set_next_key(std::nullopt, "service-key.cancel", actor);
}

Result<ServiceKeysState> ServiceKeys::promote(bool anyway, const std::string& actor) {
  const MutexLock lock(changing_);
  auto state = read();
  if (!state) return state;
  if (!state->next) return no_next();
  if (settings_.tls_terminated_by_proxy || !settings_.keys.promote) {
    return fail(ServiceKeysError::kElsewhere,
                "the proxy has the key: give the proxy its certificate, and start the service with "
                "--service-pin " +
                    state->next->pin);
  }
  const model::DeviceCount& devices = state->devices;
  if (!anyway && devices.up_to_date < devices.seen) {
    return fail(ServiceKeysError::kNotKnownYet,
                std::to_string(devices.seen - devices.up_to_date) + " of the " +
                    std::to_string(devices.seen) +
                    " devices that passed in the last 30 days have not shown that they know the "
                    "next key, and would refuse the service: wait until they attest, or promote it "
                    "with --anyway");
  }
  const std::string pin = state->next->pin;
  if (auto ok = settings_.keys.promote(pin); !ok) return pass(ok);
  const auto noted = store_.note(actor, "service-key.promote",
                                 pin + ", known to " + std::to_string(devices.up_to_date) + " of " +
                                     std::to_string(devices.seen) + " devices");
  if (!noted) return pass(noted);
  return read();
}

}  // namespace touchmark::verifier::state
