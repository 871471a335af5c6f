#include "verifier/state/policy_rollout.h"

#include "base/encoding.h"
#include "crypto/crypto.h"

namespace touchmark::verifier::state {
namespace {

constexpr const char* kPolicyName = "policy";  // in the store
constexpr std::size_t kMaxStored = 4 * policy::kMaxDocumentBytes;
constexpr std::int64_t kMaxUnix = 253402300799;  // the end of the year 9999

Json to_json(const PolicyVersion& version) {
  return {{"text", version.text}, {"actor", version.actor}, {"time", to_unix(version.time)}};
}

std::string short_hash(const std::string& text) {
  return hex_encode(ByteView(crypto::sha256(as_bytes(text))).first(8));
}

Json to_json(const PolicyState& state) {
  Json out = to_json(state.current);
  out["revision"] = state.revision;
  if (state.canary) {
    out["canary"] = to_json(state.canary->version);
    out["canary"]["percent"] = state.canary->percent;
  }
  return out;
}

Result<void> check_revision(const PolicyState& state, std::int64_t revision) {
  if (revision == state.revision) return {};
  return fail(PolicyError::kConflict, "the policy is at revision " +
                                          std::to_string(state.revision) + " by now, not " +
                                          std::to_string(revision));
}

}  // namespace

std::string_view error_id(PolicyError error) {
  using enum PolicyError;
  static constexpr auto kIds = error_table<PolicyError>({
      {kConflict, "policy.conflict"},
      {kNoCanary, "policy.no-canary"},
      {kBadPercent, "policy.bad-percent"},
  });
  return kIds[error];
}

bool in_canary(const std::string& hash, const std::string& device_id, unsigned percent) {
  const Sha256Digest digest = crypto::sha256(as_bytes("touchmark canary v1\n" + hash + device_id));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number = number << 8 | std::to_integer<std::uint64_t>(digest[i]);
  return number % 100 < percent;
}

PolicyRollout::PolicyRollout(AuditedStore& store, std::function<void(policy::Policy&)> overlay)
    : store_(store), overlay_(std::move(overlay)), state_(std::make_shared<PolicyState>()) {}

// --- Reading -------------------------------------------------------------------------------------

Result<policy::Policy> PolicyRollout::compile(const std::string& text) const {
  auto policy = policy::parse_policy(text);
  if (policy) overlay_(*policy);
  return policy;
}

Result<PolicyVersion> PolicyRollout::make_version(const std::string& text, const std::string& actor,
                                                  UnixTime time, policy::DocumentAge age) const {
  auto policy = policy::parse_policy(text, age);
  if (!policy) return pass(policy);
  overlay_(*policy);
  return PolicyVersion{text, actor, time, std::move(*policy), short_hash(text)};
}

Result<PolicyVersion> PolicyRollout::read_version(const Json& json) const {
  auto text = get_string(json, "text", policy::kMaxDocumentBytes);
  if (!text) return pass(text);
  auto time = get_int(json, "time", 0, kMaxUnix);
  if (!time) return pass(time);
  return make_version(*text, find_string(json, "actor").value_or(""), from_unix(*time),
                      policy::DocumentAge::kStored);
}

Result<PolicyState> PolicyRollout::read_state() const {
  PolicyState out;
  auto stored = store_.read().get(kPolicyName);
  if (!stored) return pass(stored);
  if (!*stored) {
    auto standard = make_version(std::string(policy::default_document()), "touchmark", store_.now(),
                                 policy::DocumentAge::kNew);
    if (!standard) return pass(standard);
    out.revision = 1;
    out.current = std::move(*standard);
    return out;
  }
  auto json = parse_json(as_text(**stored), {.max_bytes = kMaxStored, .max_depth = 4});
  if (!json) return pass(json);
  auto revision = get_int(*json, "revision", 1, INT64_MAX);
  if (!revision) return pass(revision);
  auto current = read_version(*json);
  if (!current) return pass(current);
  out.revision = *revision;
  out.current = std::move(*current);
  const Json* canary = find_object(*json, "canary");
  if (canary == nullptr) return out;
  auto version = read_version(*canary);
  if (!version) return pass(version);
  auto percent = get_int(*canary, "percent", 1, 99);
  if (!percent) return pass(percent);
  out.canary = Canary{std::move(*version), static_cast<unsigned>(*percent)};
  return out;
}

Result<void> PolicyRollout::load() {
  auto state = read_state();
  if (!state) {
    return fail(store::StoreError::kCorrupt,
                "the stored policy cannot be read, and the service does not judge by another "
                "one: " +
                    state.error().message() +
                    "; start with --reset-policy to put the default policy into force, and then "
                    "set yours with `touchmark policy set`");
  }
  state_.set(std::make_shared<PolicyState>(std::move(*state)));
  return {};
}

Result<void> PolicyRollout::reset(const std::string& actor) {
  auto standard = make_version(std::string(policy::default_document()), actor, store_.now(),
                               policy::DocumentAge::kNew);
  if (!standard) return pass(standard);
  PolicyState next;
  next.current = std::move(*standard);
  // Above whatever revision somebody may have seen.
  next.revision = to_unix(store_.now());
  return store_.change(
      actor, "policy.reset", "revision " + std::to_string(next.revision) + ", the default policy",
      [&](store::Transaction& transaction) {
        return transaction.put(kPolicyName, as_bytes(dump_json(to_json(next))));
      },
      [&] { state_.set(std::make_shared<PolicyState>(next)); });
}

// --- Judging -------------------------------------------------------------------------------------

policy::Verdict PolicyRollout::judge(const policy::Facts& facts,
                                     const std::vector<protocol::Finding>& findings,
                                     policy::Force force, UnixTime now) const {
  const auto state = state_.get();
  policy::Verdict verdict = policy::judge(state->current.policy, facts, findings, now, force);
  if (!state->canary) return verdict;
  const Canary& canary = *state->canary;
  if (!in_canary(canary.version.hash, facts.device_id, canary.percent)) return verdict;
  const bool passed_before = verdict.passed;
  verdict = policy::judge(canary.version.policy, facts, findings, now, force);
  ++canary.counts->appraisals;
  if (passed_before && !verdict.passed) ++canary.counts->newly_failing;
  if (!passed_before && verdict.passed) ++canary.counts->newly_passing;
  return verdict;
}

// --- The document --------------------------------------------------------------------------------

template <class Alter>
Result<std::int64_t> PolicyRollout::change(std::int64_t revision, const std::string& actor,
                                           const std::string& action, const std::string& detail,
                                           Alter alter) {
  PolicyState next;
  const std::string next_revision = std::to_string(static_cast<std::uint64_t>(revision) + 1);
  auto done = store_.change(
      actor, action, "revision " + next_revision + ", " + detail,
      [&](store::Transaction& transaction) -> Result<void> {
        next = *state_.get();
        if (auto ok = check_revision(next, revision); !ok) return ok;
        if (auto ok = alter(next); !ok) return ok;
        ++next.revision;
        return transaction.put(kPolicyName, as_bytes(dump_json(to_json(next))));
      },
      [&] { state_.set(std::make_shared<PolicyState>(next)); });
  if (!done) return pass(done);
  return next.revision;
}

Result<PolicyRollout::Changed> PolicyRollout::put(const std::string& text, std::int64_t revision,
                                                  std::optional<unsigned> canary,
                                                  const std::string& actor) {
  if (canary && (*canary < 1 || *canary > 99)) {
    return fail(PolicyError::kBadPercent, "a canary takes 1 to 99 percent of the devices");
  }
  auto version = make_version(text, actor, store_.now(), policy::DocumentAge::kNew);
  if (!version) return pass(version);
  std::string detail = "sha256 " + version->hash;
  if (canary) detail += ", for " + std::to_string(*canary) + " %";
  const auto alter = [&](PolicyState& next) -> Result<void> {
    if (!canary) {
      next.canary.reset();
      next.current = std::move(*version);
      return {};
    }
    // The same candidate for another share keeps its counts.
    const bool same = next.canary && next.canary->version.text == text;
    if (!same) next.canary = Canary{std::move(*version), 0};
    next.canary->percent = *canary;
    return {};
  };
  auto done = change(revision, actor, canary ? "policy.canary" : "policy.set", detail, alter);
  if (!done) return pass(done);
  return Changed{*done, policy::parse_document(text).warnings};
}

Result<std::int64_t> PolicyRollout::end_canary(CanaryEnd how, std::int64_t revision,
                                               const std::string& actor) {
  const bool promote = how == CanaryEnd::kPromote;
  const auto seen = state_.get();
  if (auto ok = check_revision(*seen, revision); !ok) return pass(ok);
  const std::string hash = seen->canary ? seen->canary->version.hash : "";
  const auto alter = [&](PolicyState& next) -> Result<void> {
    if (!next.canary) return fail(PolicyError::kNoCanary, "no candidate is being rolled out");
    if (promote) next.current = std::move(next.canary->version);
    next.canary.reset();
    return {};
  };
  return change(revision, actor, promote ? "policy.promote" : "policy.abort", "sha256 " + hash,
                alter);
}

}  // namespace touchmark::verifier::state
