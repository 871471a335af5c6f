// The APIs whose calls carry tokens, and the signed configuration that tells apps of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verifier/state/audited_store.h"
#include "verifier/state/configuration.h"
#include "verifier/state/keyring.h"
#include "verifier/state/load_notes.h"
#include "verifier/state/next_key.h"
#include "verifier/state/settings.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

// Thread-safe. Each change makes a new version of the signed configuration at once. Fails with
// ApiError or StoreError, and has then changed nothing.
class ApiDomains {
 public:
  // What is passed by reference must outlive this.
  ApiDomains(AuditedStore& store, const Keyring& keyring, const ServiceSettings& settings);
  // Reads what the store knows, and signs a new version when the settings say something else than
  // at the last start. A stored configuration that cannot be read is made again from the APIs, and
  // an API that cannot be read from the configuration. Where there are more APIs than an app takes,
  // the configuration stays as it is until some are removed.
  Result<void> load(LoadNotes& notes);

  // The service's pins from now on, in place of the settings' (ServiceSettings::service_pins); the
  // next key's stays beside them, until it is the one that the service serves with. Signs a new
  // version where that is other than now.
  Result<void> set_service_pins(const std::vector<std::string>& pins);
  // Tells apps of another next key, or of none any longer. Its config_version is filled in.
  Result<void> set_next_key(std::optional<NextKey> next, const std::string& action,
                            const std::string& actor);
  std::optional<NextKey> next_key() const { return pins_.get()->next; }
  // Whether apps are told of the key with this SHA-256 of its SPKI.
  bool is_pinned(ByteView spki) const;
  // What apps are told: the service's own key first, or its proxy's, and the next one last.
  std::vector<std::string> service_pins() const;
  // Whether the configuration that load() found pins this key of the service, as apps that have it
  // do. True where it found none.
  bool was_pinned(const Sha256Digest& service_key) const;

  // The version in force; without text where none could be made.
  std::shared_ptr<const Configuration> configuration() const { return configuration_.get(); }

  struct Stored {
    model::ApiDomain api;             // its domain in lower case
    std::int64_t config_version = 0;  // of the configuration that names it
    // Why the configuration does not name it yet: there were more APIs than an app takes, and there
    // are still.
    std::string not_renewed{};
  };
  // How the pins of a domain that is known already are replaced.
  struct Replacement {
    // The pins that the operator saw: kChanged when they are others now. Outer nullopt: whatever
    // they are; inner: the domain was not there.
    std::optional<std::optional<std::vector<std::string>>> before{};
    // How long apps go on accepting pins that the domain loses, counted from now; those that were
    // retiring keep their time. Zero: all of them end now. nullopt: what it loses ends now.
    std::optional<Seconds> overlap{};
    // The keyset of the domain's tokens ("": the default); nullopt: the one that it has.
    std::optional<std::string> key_set{};
  };
  // `api` names no retiring pins.
  Result<Stored> put(const model::ApiDomain& api, const Replacement& replacement,
                     const std::string& actor);
  Result<Stored> put(const model::ApiDomain& api, const std::string& actor) {
    return put(api, Replacement{}, actor);
  }
  // Takes pins whose time is over out of the configuration. Called every few seconds.
  Result<void> retire_pins();
  Result<std::vector<model::ApiDomain>> list();
  Result<void> remove(const std::string& domain, const std::string& actor);

 private:
  // Of the service itself.
  struct Pins {
    protocol::PinSet own;
    std::optional<NextKey> next{};
    // Both.
    protocol::PinSet all() const;
  };
  // Whether the next key is what clients are met with by now.
  bool is_served(const NextKey& next, const protocol::PinSet& own) const;
  // The configuration with these pins, written where it is a new version.
  Result<Configuration> renewed_with(const Pins& pins, store::Transaction& transaction);
  void publish(const Pins& pins, const Configuration& configuration);

  // What the settings and `apis` say, signed; the present version when that is nothing new.
  Result<Configuration> renewed(const std::vector<model::ApiDomain>& apis) const {
    return renewed(apis, *pins_.get());
  }
  Result<Configuration> renewed(const std::vector<model::ApiDomain>& apis, const Pins& pins) const;
  // An API as the configuration in force says it; nullopt when it does not name it.
  std::optional<model::ApiDomain> configured(const std::string& domain) const;
  // All of them. One that cannot be read is taken from the configuration; `lost` names those.
  template <class From>
  Result<std::vector<model::ApiDomain>> all(From& from, std::vector<std::string>& lost) const;
  struct Renewed {
    Configuration configuration;
    std::string not_renewed;  // see Stored
  };
  // The configuration for `after`. What makes too many fewer is taken, though the configuration has
  // to wait.
  Result<Renewed> renewed_after(const std::vector<model::ApiDomain>& before,
                                const std::vector<model::ApiDomain>& after) const;
  // Runs `change` together with the new configuration.
  template <class Change>
  Result<Renewed> change(const std::string& actor, const std::string& action,
                         const std::string& domain, Change change);

  // Notes when the next pin's time is over.
  void note_retirement(const std::vector<model::ApiDomain>& apis);

  AuditedStore& store_;
  const Keyring& keyring_;
  const ServiceSettings& settings_;
  Snapshot<Configuration> configuration_;
  Snapshot<Pins> pins_;
  std::optional<protocol::PinSet> loaded_pins_;  // those of the configuration that load() found
  std::atomic<std::int64_t> next_retirement_ = INT64_MAX;  // unix seconds
};

}  // namespace touchmark::verifier::state
