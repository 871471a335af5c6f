// The service without its network: opens what is remembered, and holds the parts, each with one
// task. verifier/routes says which request means which of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "verifier/attest.h"
#include "verifier/policy/demand.h"
#include "verifier/state/backups.h"
#include "verifier/state/code_cache.h"
#include "verifier/state/key_sets.h"
#include "verifier/state/operators.h"
#include "verifier/state/service_keys.h"

namespace touchmark::verifier {

struct Status {
  std::string version;  // of this program
  std::string account;
  UnixTime first_start{};
  UnixTime time{};
  std::vector<std::string> public_urls;  // as apps are told them
  std::int64_t config_version = 0;
  std::size_t registrations = 0;
  std::int64_t policy_revision = 0;
  policy::AssuranceRules assurance;  // of the policy in force, and the demand that it makes
  policy::Demand demand;
  // What an operator should hardly leave so: the demand's warnings and those of the options, each a
  // sentence.
  std::vector<std::string> warnings;
  std::optional<state::RevocationSource::Status> revocation;  // nullopt: switched off
  std::optional<UnixTime> last_backup;                        // nullopt: there was none
  std::vector<std::string> service_pins;                      // what apps and operators may meet
};

// What only the service knows of whether all is well; `touchmark doctor` judges it.
struct Diagnosis {
  UnixTime time{};
  // Why the store is not there, or takes no change; nullopt: it just took one.
  std::optional<std::string> store_problem;
  state::LoadNotes unreadable;                   // of the store, when it was opened
  std::vector<std::string> public_url_problems;  // each a sentence
  std::size_t hardware_roots = 0;                // that --hardware-roots added
  std::optional<state::Surroundings> surroundings;
};

// Thread-safe. Members are made in the order in which they stand, each of those before it, and end
// the other way round.
class Verifier {
 public:
  // Opens (first start: makes) the account, keys and secrets in `store`, sealed under `master_key`
  // (32 bytes). `reset_policy`: puts the default policy into force, whatever is stored. What is
  // passed by reference must outlive the verifier. Fails with SettingsError,
  // StoreError, or CryptoError::kSealBroken for another master key.
  static Result<std::unique_ptr<Verifier>> open(store::Store& store, ByteView master_key,
                                                const Clock& clock, Random& random,
                                                state::ServiceSettings settings,
                                                bool reset_policy = false);
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  Attestation& attestation() { return attestation_; }
  state::Registry& registry() { return registry_; }
  state::ApiDomains& api_domains() { return api_domains_; }
  state::PolicyRollout& policy() { return policy_; }
  state::Devices& devices() { return devices_; }
  state::AppraisalJournal& journal() { return journal_; }
  state::Operators& operators() { return operators_; }
  state::KeySets& key_sets() { return key_sets_; }
  state::Backups& backups() { return backups_; }
  state::ServiceKeys& service_keys() { return service_keys_; }

  // What goes beside the policy document: channel binding, tokens, reasons.
  const state::ServiceSettings& settings() const { return settings_; }
  // What a valid token takes, of one policy under the options of this service.
  policy::Demand demand(const policy::Policy& policy) const {
    return policy::demand_of(policy, settings_.allow_host_builds);
  }
  const std::string& account() const { return keyring_.account; }
  UnixTime now() const { return store_.now(); }
  Status status() const;
  // Writes a small value to the store, to see whether it can be written.
  Diagnosis diagnose();
  // What could not be read of the store when it was opened.
  const state::LoadNotes& load_notes() const { return load_notes_; }
  // For /readyz: whether the store answers, and what ServiceSettings::storage_check says.
  Result<void> ready();
  // state::public_url_problems() of the settings.
  std::vector<std::string> public_url_problems() const;
  // Writes devices and appraisals that wait for it, removes content of releases that are no longer
  // registered, and pins whose time is over, and reads that of new ones into memory; called every
  // few seconds and at stop. Each is done though the one before it fails; the first error counts.
  Result<void> housekeep();

 private:
  Verifier(store::Store& store, const Clock& clock, Random& random, state::ServiceSettings settings,
           state::Keyring keyring);
  // Reads what the store knows.
  Result<void> load(bool reset_policy);

  const state::ServiceSettings settings_;
  const state::Keyring keyring_;
  state::AuditedStore store_;
  state::Registry registry_;
  state::ApiDomains api_domains_;
  state::PolicyRollout policy_;
  state::Devices devices_;
  state::AppraisalJournal journal_;
  const appraisal::TokenMint mint_;
  state::KeySets key_sets_;
  state::Operators operators_;
  state::Backups backups_;
  state::ServiceKeys service_keys_;
  state::CodeCache code_;
  const appraisal::ChallengeMaker challenges_;
  appraisal::ReplayCache replays_;
  const appraisal::HardwareAppraiser hardware_;
  const appraisal::Appraiser appraiser_;
  Attestation attestation_;
  state::LoadNotes load_notes_;
};

}  // namespace touchmark::verifier
