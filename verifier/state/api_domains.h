// The APIs whose calls carry tokens, and the signed configuration that tells apps of them.
#pragma once

#include <string>
#include <vector>

#include "verifier/state/audited_store.h"
#include "verifier/state/configuration.h"
#include "verifier/state/keyring.h"
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
  // at the last start.
  Result<void> load();

  // The version in force.
  std::shared_ptr<const Configuration> configuration() const { return configuration_.get(); }

  struct Stored {
    model::ApiDomain api;             // its domain in lower case
    std::int64_t config_version = 0;  // of the configuration that names it
  };
  Result<Stored> put(const model::ApiDomain& api, const std::string& actor);
  Result<std::vector<model::ApiDomain>> list() { return store_.read().apis(); }
  Result<void> remove(const std::string& domain, const std::string& actor);

 private:
  // What the settings and `apis` say, signed; the present version when that is nothing new.
  Result<Configuration> renewed(const std::vector<model::ApiDomain>& apis) const;
  // Runs `change` together with the new configuration, whose version it gives.
  template <class Change>
  Result<std::int64_t> change(const std::string& actor, const std::string& action,
                              const std::string& domain, Change change);

  AuditedStore& store_;
  const Keyring& keyring_;
  const ServiceSettings& settings_;
  Snapshot<Configuration> configuration_;
};

}  // namespace touchmark::verifier::state
