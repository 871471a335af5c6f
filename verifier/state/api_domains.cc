#include "verifier/state/api_domains.h"

#include <algorithm>

#include "base/encoding.h"
#include "protocol/limits.h"

namespace touchmark::verifier::state {
namespace {

constexpr const char* kName = "configuration";  // in the store
constexpr const char* kService = "the service";

// What makes a configuration large.
std::size_t weight(const std::vector<model::ApiDomain>& apis) {
  std::size_t out = 0;
  for (const model::ApiDomain& api : apis) out += 1 + api.pins.size() + api.retiring.size();
  return out;
}

bool holds(const std::vector<std::string>& pins, const std::string& pin) {
  return std::ranges::find(pins, pin) != pins.end();
}

std::optional<model::ApiDomain> find_domain(const std::vector<model::ApiDomain>& apis,
                                            const std::string& domain) {
  const auto found = std::ranges::find(apis, domain, &model::ApiDomain::domain);
  if (found == apis.end()) return std::nullopt;
  return *found;
}

// The pins of `before` that `api` goes on with for a time.
std::vector<model::RetiringPin> retiring_pins(const model::ApiDomain& api,
                                              const model::ApiDomain& before,
                                              std::optional<Seconds> overlap, UnixTime now) {
  std::vector<model::RetiringPin> out;
  if (overlap == Seconds(0)) return out;
  for (const model::RetiringPin& one : before.retiring) {
    if (one.until > now && !holds(api.pins, one.pin)) out.push_back(one);
  }
  if (!overlap) return out;
  for (const std::string& pin : before.pins) {
    if (!holds(api.pins, pin)) out.push_back({pin, now + *overlap});
  }
  return out;
}

}  // namespace

ApiDomains::ApiDomains(AuditedStore& store, const Keyring& keyring, const ServiceSettings& settings)
    : store_(store),
      keyring_(keyring),
      settings_(settings),
      configuration_(std::make_shared<Configuration>()),
      pins_(std::make_shared<Pins>()) {}

Result<void> ApiDomains::load(LoadNotes& notes) {
  auto pins = protocol::parse_pins(settings_.service_pins, kService);
  if (!pins) return pass(pins);
  auto next_key = read_next_key(store_.read());
  if (!next_key) return pass(next_key);
  const bool is_promoted = *next_key && is_served(**next_key, *pins);
  if (is_promoted) next_key->reset();
  pins_.set(std::make_shared<Pins>(Pins{std::move(*pins), std::move(*next_key)}));
  auto stored = store_.read().get(kName);
  if (!stored) return pass(stored);
  if (*stored) {
    const std::string_view jws = as_text(**stored);
    auto parsed = parse_configuration(jws, keyring_.config_key);
    if (!parsed) {
      notes.push_back({"configuration", parsed.error().text(),
                       "it is made again from the APIs in the database"});
      parsed = Configuration{version_after_unreadable(jws, store_.now()), ""};
    }
    const auto decoded = protocol::decode_configuration(parsed->jws, keyring_.config_key);
    if (decoded) loaded_pins_ = decoded->service_pins;
    configuration_.set(std::make_shared<Configuration>(std::move(*parsed)));
  }
  std::vector<std::string> lost;
  auto apis = all(store_.read(), lost);
  if (!apis) return pass(apis);
  for (const std::string& domain : lost) {
    const bool known = configured(domain).has_value();
    notes.push_back({"API " + domain, "its pins cannot be read",
                     known ? "it is taken from the signed configuration"
                           : "add it again with `touchmark api add`"});
  }
  note_retirement(*apis);
  auto next = renewed(*apis);
  if (!next) {
    // Where the settings are at fault, the operator can say others; the APIs take a running
    // service.
    if (auto without = renewed({}); !without) return pass(without);
    notes.push_back({"configuration", next.error().text(),
                     "apps keep the one that they have, until `touchmark api remove` makes room"});
    return {};
  }
  auto kept = store_.remember([&](store::Transaction& transaction) -> Result<void> {
    for (const std::string& domain : lost) {
      const auto api = configured(domain);
      if (!api) continue;
      if (auto ok = transaction.put_api(*api); !ok) return ok;
    }
    if (is_promoted) {
      if (auto ok = put_next_key(transaction, std::nullopt); !ok) return ok;
    }
    if (next->version == configuration_.get()->version) return {};
    return transaction.put(kName, as_bytes(next->jws));
  });
  if (!kept) return kept;
  configuration_.set(std::make_shared<Configuration>(std::move(*next)));
  return {};
}

std::optional<model::ApiDomain> ApiDomains::configured(const std::string& domain) const {
  const auto decoded =
      protocol::decode_configuration(configuration_.get()->jws, keyring_.config_key);
  if (!decoded) return std::nullopt;
  for (const protocol::ApiRule& api : decoded->apis) {
    if (to_string(api.domain) != domain) continue;
    model::ApiDomain out{domain, {}};
    for (const Sha256Digest& pin : api.pins) out.pins.push_back(base64_encode(pin));
    return out;
  }
  return std::nullopt;
}

template <class From>
Result<std::vector<model::ApiDomain>> ApiDomains::all(From& from,
                                                      std::vector<std::string>& lost) const {
  auto apis =
      from.apis([&](const std::string& domain, const Error& /*why*/) { lost.push_back(domain); });
  if (!apis) return apis;
  for (const std::string& domain : lost) {
    if (auto api = configured(domain)) apis->push_back(std::move(*api));
  }
  std::ranges::sort(*apis, {}, &model::ApiDomain::domain);
  return apis;
}

Result<std::vector<model::ApiDomain>> ApiDomains::list() {
  std::vector<std::string> lost;
  return all(store_.read(), lost);
}

bool ApiDomains::was_pinned(const Sha256Digest& service_key) const {
  return !loaded_pins_ || std::ranges::find(*loaded_pins_, service_key) != loaded_pins_->end();
}

protocol::PinSet ApiDomains::Pins::all() const {
  protocol::PinSet out = own;
  const auto pin = next ? base64_digest(next->pin) : std::nullopt;
  if (pin && std::ranges::find(out, *pin) == out.end()) out.push_back(*pin);
  return out;
}

std::vector<std::string> ApiDomains::service_pins() const {
  std::vector<std::string> out;
  for (const Sha256Digest& pin : pins_.get()->all()) out.push_back(base64_encode(pin));
  return out;
}

bool ApiDomains::is_pinned(ByteView spki) const {
  return std::ranges::any_of(
      pins_.get()->all(), [&](const Sha256Digest& pin) { return std::ranges::equal(pin, spki); });
}

bool ApiDomains::is_served(const NextKey& next, const protocol::PinSet& own) const {
  const auto pin = base64_digest(next.pin);
  if (!pin || own.empty()) return false;
  return settings_.tls_terminated_by_proxy ? std::ranges::find(own, *pin) != own.end()
                                           : own.front() == *pin;
}

Result<void> ApiDomains::set_service_pins(const std::vector<std::string>& texts) {
  auto own = protocol::parse_pins(texts, kService);
  if (!own) return pass(own);
  Pins pins;
  Configuration next;
  return store_.remember(
      [&](store::Transaction& transaction) -> Result<void> {
        pins = {*own, pins_.get()->next};
        const bool is_promoted = pins.next && is_served(*pins.next, pins.own);
        if (is_promoted) pins.next.reset();
        auto made = renewed_with(pins, transaction);
        if (!made) return pass(made);
        next = std::move(*made);
        return is_promoted ? put_next_key(transaction, std::nullopt) : Result<void>();
      },
      [&] { publish(pins, next); });
}

Result<void> ApiDomains::set_next_key(std::optional<NextKey> next, const std::string& action,
                                      const std::string& actor) {
  Pins pins;
  Configuration configuration;
  const auto present = next_key();
  const std::string pin = next ? next->pin : present ? present->pin : "";
  return store_.change(
      actor, action, pin,
      [&](store::Transaction& transaction) -> Result<void> {
        pins = {pins_.get()->own, next};
        auto made = renewed_with(pins, transaction);
        if (!made) return pass(made);
        configuration = std::move(*made);
        if (pins.next) pins.next->config_version = configuration.version;
        return put_next_key(transaction, pins.next);
      },
      [&] { publish(pins, configuration); });
}

Result<Configuration> ApiDomains::renewed_with(const Pins& pins, store::Transaction& transaction) {
  const std::size_t count = pins.all().size();
  if (count > protocol::kMaxPins) {
    return fail(ApiError::kTooMany, std::to_string(count) +
                                        " pins of the service are too many: an app takes at most " +
                                        std::to_string(protocol::kMaxPins));
  }
  std::vector<std::string> lost;
  auto apis = all(transaction, lost);
  if (!apis) return pass(apis);
  auto made = renewed(*apis, pins);
  if (!made) return pass(made);
  if (made->version == configuration_.get()->version) return made;
  if (auto ok = transaction.put(kName, as_bytes(made->jws)); !ok) return pass(ok);
  return made;
}

void ApiDomains::publish(const Pins& pins, const Configuration& configuration) {
  pins_.set(std::make_shared<Pins>(pins));
  configuration_.set(std::make_shared<Configuration>(configuration));
}

Result<Configuration> ApiDomains::renewed(const std::vector<model::ApiDomain>& apis,
                                          const Pins& pins) const {
  auto content = configuration_content(keyring_.account, settings_, apis, keyring_.config_key);
  if (!content) return pass(content);
  content->service_pins = pins.all();
  return next_configuration(*configuration_.get(), std::move(*content), store_.now());
}

Result<ApiDomains::Renewed> ApiDomains::renewed_after(
    const std::vector<model::ApiDomain>& before, const std::vector<model::ApiDomain>& after) const {
  auto next = renewed(after);
  if (next) return Renewed{std::move(*next), ""};
  const bool shrinks = weight(after) < weight(before) && after.size() <= before.size();
  if (!shrinks || renewed(before)) return pass(next);
  return Renewed{*configuration_.get(), next.error().message()};
}

template <class Change>
Result<ApiDomains::Renewed> ApiDomains::change(const std::string& actor, const std::string& action,
                                               const std::string& domain, Change change) {
  Renewed next;
  std::vector<model::ApiDomain> changed_apis;
  auto changed = store_.change(
      actor, action, domain,
      [&](store::Transaction& transaction) -> Result<void> {
        std::vector<std::string> lost;
        auto before = all(transaction, lost);
        if (!before) return pass(before);
        if (auto ok = change(transaction); !ok) return ok;
        lost.clear();
        auto after = all(transaction, lost);
        if (!after) return pass(after);
        auto made = renewed_after(*before, *after);
        if (!made) return pass(made);
        next = std::move(*made);
        changed_apis = std::move(*after);
        if (next.configuration.version == configuration_.get()->version) return {};
        return transaction.put(kName, as_bytes(next.configuration.jws));
      },
      [&] {
        configuration_.set(std::make_shared<Configuration>(next.configuration));
        note_retirement(changed_apis);
      });
  if (!changed) return pass(changed);
  return next;
}

void ApiDomains::note_retirement(const std::vector<model::ApiDomain>& apis) {
  std::int64_t next = INT64_MAX;
  for (const model::ApiDomain& api : apis) {
    for (const model::RetiringPin& one : api.retiring) next = std::min(next, to_unix(one.until));
  }
  next_retirement_ = next;
}

Result<void> ApiDomains::retire_pins() {
  const UnixTime now = store_.now();
  if (to_unix(now) < next_retirement_) return {};
  auto apis = list();
  if (!apis) return pass(apis);
  for (const model::ApiDomain& listed : *apis) {
    const auto is_over = [&](const model::RetiringPin& one) { return one.until <= now; };
    if (std::ranges::none_of(listed.retiring, is_over)) continue;
    auto done = change("touchmark serve", "api.retire-pins", listed.domain,
                       [&](store::Transaction& transaction) -> Result<void> {
                         std::vector<std::string> lost;
                         auto present = all(transaction, lost);
                         if (!present) return pass(present);
                         auto api = find_domain(*present, listed.domain);
                         if (!api) return {};
                         std::erase_if(api->retiring, is_over);
                         return transaction.put_api(*api);
                       });
    if (!done) return pass(done);
  }
  return {};
}

Result<ApiDomains::Stored> ApiDomains::put(const model::ApiDomain& api,
                                           const Replacement& replacement,
                                           const std::string& actor) {
  auto normal = normalize_api(api);
  if (!normal) return pass(normal);
  auto done = change(
      actor, "api.put", normal->domain, [&](store::Transaction& transaction) -> Result<void> {
        std::vector<std::string> lost;
        auto present = all(transaction, lost);
        if (!present) return pass(present);
        const auto before = find_domain(*present, normal->domain);
        if (replacement.before) {
          const auto pins = before ? std::optional(before->pins) : std::nullopt;
          if (pins != *replacement.before) {
            return fail(ApiError::kChanged, normal->domain + " was changed meanwhile");
          }
        }
        if (before) {
          normal->retiring = retiring_pins(*normal, *before, replacement.overlap, store_.now());
        }
        if (before) normal->key_set = before->key_set;
        if (replacement.key_set) normal->key_set = *replacement.key_set;
        auto checked = normalize_api(*normal);
        if (!checked) return pass(checked);
        return transaction.put_api(*normal);
      });
  if (!done) return pass(done);
  return Stored{std::move(*normal), done->configuration.version, done->not_renewed};
}

Result<void> ApiDomains::remove(const std::string& domain, const std::string& actor) {
  const auto normal = normalize_api({domain, {}});
  if (!normal) return pass(normal);
  auto done = change(actor, "api.remove", normal->domain, [&](store::Transaction& transaction) {
    return transaction.remove_api(normal->domain);
  });
  if (!done) return pass(done);
  return {};
}

}  // namespace touchmark::verifier::state
