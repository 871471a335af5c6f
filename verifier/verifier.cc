#include "verifier/verifier.h"

namespace touchmark::verifier {
namespace {

constexpr std::size_t kMaxSpentChallenges = 1'000'000;
constexpr const char* kDiagnosed = "diagnosed";  // in the store: when it was last looked at

// What the command line allows beyond the policy document.
std::function<void(policy::Policy&)> policy_overlay(bool allow_host_builds) {
  return [allow_host_builds](policy::Policy& policy) {
    if (!allow_host_builds) return;
    policy.set_action(protocol::FindingId::kDeviceHostBuild, policy::Action::kIgnore,
                      {"--allow-host-builds"});
  };
}

// A list that cannot be had, or is too old; nullopt while the first one is on its way.
std::optional<std::string> problem_of(const state::RevocationSource::Status& list) {
  if (list.there && list.fresh) return std::nullopt;
  if (!list.there && !list.problem) return std::nullopt;
  const std::string what =
      list.there ? "is of " + format_time(*list.confirmed) + " UTC and too old" : "is not there";
  return "the revocation list (" + list.location + ") " + what +
         (list.problem ? ": " + *list.problem : "") +
         "; keys that leaked out of phones and were revoked since may pass";
}

// Of roots of the lab, which sign its iOS apps too.
std::vector<Bytes> certificates_of(const std::optional<pki::TrustRoots>& roots) {
  std::vector<Bytes> out;
  if (!roots) return out;
  for (const pki::TrustRoot& root : roots->all()) out.push_back(root.certificate);
  return out;
}

}  // namespace

Result<std::unique_ptr<Verifier>> Verifier::open(store::Store& store, ByteView master_key,
                                                 const Clock& clock, Random& random,
                                                 state::ServiceSettings settings,
                                                 bool reset_policy) {
  if (auto ok = state::check_settings(settings); !ok) return pass(ok);
  auto keyring = state::Keyring::open(store, master_key, clock, random);
  if (!keyring) return pass(keyring);
  store.seal_audit_with(keyring->audit_key);
  std::unique_ptr<Verifier> verifier(
      new Verifier(store, clock, random, std::move(settings), std::move(*keyring)));
  if (auto ok = verifier->load(reset_policy); !ok) return pass(ok);
  return verifier;
}

Verifier::Verifier(store::Store& store, const Clock& clock, Random& random,
                   state::ServiceSettings settings, state::Keyring keyring)
    : settings_(std::move(settings)),
      keyring_(std::move(keyring)),
      store_(store, clock),
      registry_(store_, certificates_of(settings_.hardware.more_roots)),
      api_domains_(store_, keyring_, settings_),
      policy_(store_, policy_overlay(settings_.allow_host_builds)),
      devices_(store_),
      journal_(store_),
      mint_(
          {settings_.token_lifetime, settings_.extra_claims, settings_.issuer, settings_.audience}),
      key_sets_(store_, keyring_, mint_, random),
      operators_(store_, random),
      backups_(store_, keyring_, settings_, api_domains_, random),
      service_keys_(store_, api_domains_, devices_, settings_),
      code_(store, settings_.code_cache_bytes),
      challenges_(keyring_.challenge_key),
      replays_(kMaxSpentChallenges),
      hardware_(settings_.hardware, challenges_, store),
      appraiser_({keyring_.account,
                  [this](ByteView spki) {
                    // The keys of a proxy change while the service runs.
                    return settings_.tls_terminated_by_proxy
                               ? api_domains_.is_pinned(spki)
                               : crypto::constant_time_equal(settings_.tls_spki_sha256, spki);
                  },
                  settings_.tls_terminated_by_proxy},
                 challenges_, replays_, hardware_,
                 [this](const Sha256Digest& part, std::uint64_t offset, std::uint64_t length,
                        const appraisal::ByteSink& sink) {
                   return code_.read(part, offset, length, sink);
                 }),
      attestation_({settings_, challenges_, appraiser_, mint_, key_sets_, registry_, api_domains_,
                    policy_, devices_, journal_, clock, random}) {}

Result<void> Verifier::load(bool reset_policy) {
  if (auto ok = registry_.load(load_notes_); !ok) return ok;
  if (auto ok = api_domains_.load(load_notes_); !ok) return ok;
  if (auto ok = reset_policy ? policy_.reset("touchmark serve") : policy_.load(); !ok) return ok;
  if (auto ok = devices_.load(); !ok) return ok;
  if (auto ok = backups_.load(); !ok) return ok;
  if (auto ok = key_sets_.load(); !ok) return ok;
  return operators_.load(load_notes_);
}

Status Verifier::status() const {
  const auto policy = policy_.show();
  Status out{.version = TOUCHMARK_VERSION,
             .account = keyring_.account,
             .first_start = keyring_.first_start,
             .time = store_.now(),
             .public_urls = settings_.public_urls,
             .config_version = api_domains_.configuration()->version,
             .registrations = registry_.references()->size(),
             .policy_revision = policy->revision,
             .assurance = policy->current.policy.assurance,
             .demand = demand(policy->current.policy),
             .warnings = {},
             .revocation = {},
             .last_backup = backups_.last(),
             .service_pins = api_domains_.service_pins()};
  out.warnings = out.demand.warnings;
  if (policy->canary) {
    const policy::Policy& candidate = policy->canary->version.policy;
    for (const std::string& warning : policy::demand_of(candidate, false).warnings) {
      out.warnings.push_back("under the candidate: " + warning);
    }
  }
  for (const std::string& problem : public_url_problems()) {
    out.warnings.push_back(problem + "; start the service with --public-url https://HOST");
  }
  if (settings_.hardware.more_roots) {
    out.warnings.push_back(
        "--hardware-roots: whoever holds one of these roots can make evidence of any phone");
  }
  if (settings_.revocation_status) {
    out.revocation = settings_.revocation_status();
    if (auto problem = problem_of(*out.revocation)) out.warnings.push_back(*problem);
  }
  return out;
}

Diagnosis Verifier::diagnose() {
  Diagnosis out{.time = store_.now(),
                .store_problem = {},
                .unreadable = load_notes_,
                .public_url_problems = public_url_problems(),
                .hardware_roots = 0,
                .surroundings = {}};
  auto is_well = ready();
  if (is_well) {
    is_well = store_.remember([&out](store::Transaction& transaction) {
      return transaction.put(kDiagnosed, as_bytes(std::to_string(to_unix(out.time))));
    });
  }
  if (!is_well) out.store_problem = is_well.error().text();
  if (settings_.hardware.more_roots) {
    out.hardware_roots = settings_.hardware.more_roots->all().size();
  }
  if (settings_.surroundings) out.surroundings = settings_.surroundings();
  return out;
}

Result<void> Verifier::ready() {
  if (settings_.storage_check) {
    if (auto ok = settings_.storage_check(); !ok) return ok;
  }
  return store_.read().ping();
}

std::vector<std::string> Verifier::public_url_problems() const {
  return state::public_url_problems(settings_);
}

Result<void> Verifier::housekeep() {
  auto devices = devices_.flush();
  auto appraisals = journal_.flush();
  auto unused = store_.discard_unused();
  auto pins = api_domains_.retire_pins();
  auto code = code_.fill(registry_.references());
  for (const auto* done : {&devices, &appraisals, &unused, &pins}) {
    if (!*done) return *done;
  }
  return code;
}

}  // namespace touchmark::verifier
