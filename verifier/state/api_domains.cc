#include "verifier/state/api_domains.h"

namespace touchmark::verifier::state {
namespace {

constexpr const char* kName = "configuration";  // in the store

}  // namespace

ApiDomains::ApiDomains(AuditedStore& store, const Keyring& keyring, const ServiceSettings& settings)
    : store_(store),
      keyring_(keyring),
      settings_(settings),
      configuration_(std::make_shared<Configuration>()) {}

Result<void> ApiDomains::load() {
  auto stored = store_.read().get(kName);
  if (!stored) return pass(stored);
  if (*stored) {
    auto parsed = parse_configuration(as_text(**stored), keyring_.config_key);
    if (!parsed) return pass(parsed);
    configuration_.set(std::make_shared<Configuration>(std::move(*parsed)));
  }
  auto apis = store_.read().apis();
  if (!apis) return pass(apis);
  auto next = renewed(*apis);
  if (!next) return pass(next);
  if (next->version != configuration_.get()->version) {
    auto kept = store_.remember([&](store::Transaction& transaction) {
      return transaction.put(kName, as_bytes(next->jws));
    });
    if (!kept) return kept;
  }
  configuration_.set(std::make_shared<Configuration>(std::move(*next)));
  return {};
}

Result<Configuration> ApiDomains::renewed(const std::vector<model::ApiDomain>& apis) const {
  auto content = configuration_content(keyring_.account, settings_, apis, keyring_.config_key);
  if (!content) return pass(content);
  return next_configuration(*configuration_.get(), std::move(*content), store_.now());
}

template <class Change>
Result<std::int64_t> ApiDomains::change(const std::string& actor, const std::string& action,
                                        const std::string& domain, Change change) {
  Configuration next;
  auto changed = store_.change(
      actor, action, domain,
      [&](store::Transaction& transaction) -> Result<void> {
        if (auto ok = change(transaction); !ok) return ok;
        auto apis = transaction.apis();
        if (!apis) return pass(apis);
        auto renewed_now = renewed(*apis);
        if (!renewed_now) return pass(renewed_now);
        next = std::move(*renewed_now);
        if (next.version == configuration_.get()->version) return {};
        return transaction.put(kName, as_bytes(next.jws));
      },
      [&] { configuration_.set(std::make_shared<Configuration>(next)); });
  if (!changed) return pass(changed);
  return next.version;
}

Result<ApiDomains::Stored> ApiDomains::put(const model::ApiDomain& api, const std::string& actor) {
  auto normal = normalize_api(api);
  if (!normal) return pass(normal);
  auto version = change(actor, "api.put", normal->domain, [&](store::Transaction& transaction) {
    return transaction.put_api(*normal);
  });
  if (!version) return pass(version);
  return Stored{std::move(*normal), *version};
}

Result<void> ApiDomains::remove(const std::string& domain, const std::string& actor) {
  const auto normal = normalize_api({domain, {}});
  if (!normal) return pass(normal);
  auto version = change(actor, "api.remove", normal->domain, [&](store::Transaction& transaction) {
    return transaction.remove_api(normal->domain);
  });
  if (!version) return pass(version);
  return {};
}

}  // namespace touchmark::verifier::state
