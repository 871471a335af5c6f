#include "verifier/state/policy_keeper.h"

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "verifier/policy/document.h"
#include "verifier/policy/explain.h"
#include "verifier/policy/facts_json.h"

namespace touchmark::verifier::state {
namespace {

using policy::Force;

constexpr std::size_t kDeviceIdBytes = 16;
constexpr std::size_t kMaxStored = 4 * policy::kMaxDocumentBytes;
constexpr std::int64_t kMaxUnix = 253402300799;  // the end of the year 9999

Json to_json(const PolicyVersion& version) {
  return {{"text", version.text}, {"actor", version.actor}, {"time", to_unix(version.time)}};
}

std::string short_hash(const std::string& text) {
  return hex_encode(ByteView(crypto::sha256(as_bytes(text))).first(8));
}

Json warnings_json(const std::string& text) {
  Json out = Json::array();
  for (const policy::Problem& warning : policy::parse_document(text).warnings) {
    out.push_back({{"line", warning.line},
                   {"column", warning.column},
                   {"key", warning.key},
                   {"message", warning.message}});
  }
  return out;
}

}  // namespace

std::string_view error_id(PolicyError error) {
  using enum PolicyError;
  static constexpr auto kIds = error_table<PolicyError>({
      {kConflict, "policy.conflict"},
      {kNoCanary, "policy.no-canary"},
      {kBadPercent, "policy.bad-percent"},
      {kBadDevice, "policy.bad-device"},
      {kNoDevice, "policy.no-device"},
      {kTooMany, "policy.too-many-forced"},
  });
  return kIds[error];
}

bool in_canary(const std::string& hash, const std::string& did, unsigned percent) {
  const Sha256Digest digest = crypto::sha256(as_bytes("touchmark canary v1\n" + hash + did));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number = number << 8 | std::to_integer<std::uint64_t>(digest[i]);
  return number % 100 < percent;
}

PolicyKeeper::PolicyKeeper(store::Store& store, const Clock& clock, DeviceQueue& devices,
                           Audited audited, std::function<void(policy::Policy&)> overlay)
    : store_(store),
      clock_(clock),
      seen_(devices),
      audited_(std::move(audited)),
      overlay_(std::move(overlay)),
      state_(std::make_shared<State>()),
      forced_(std::make_shared<ForcedDevices>()) {}

// --- Reading -------------------------------------------------------------------------------------

Result<PolicyVersion> PolicyKeeper::compile(const std::string& text, const std::string& actor,
                                            UnixTime time) const {
  auto policy = policy::parse_policy(text);
  if (!policy) return pass(policy);
  overlay_(*policy);
  return PolicyVersion{text, actor, time, std::move(*policy), short_hash(text)};
}

Result<PolicyVersion> PolicyKeeper::read_version(const Json& json) const {
  auto text = get_string(json, "text", policy::kMaxDocumentBytes);
  if (!text) return pass(text);
  auto time = get_int(json, "time", 0, kMaxUnix);
  if (!time) return pass(time);
  return compile(*text, find_string(json, "actor").value_or(""), from_unix(*time));
}

Result<PolicyKeeper::State> PolicyKeeper::read_state() const {
  State out;
  auto stored = store_.get(kName);
  if (!stored) return pass(stored);
  if (!*stored) {
    auto standard = compile(std::string(policy::default_document()), "touchmark", clock_.now());
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

Result<void> PolicyKeeper::load() {
  auto state = read_state();
  if (!state) {
    return fail(store::StoreError::kCorrupt,
                "the stored policy cannot be read: " + state.error().message());
  }
  state_.set(std::make_shared<State>(std::move(*state)));
  auto devices = store_.forced_devices();
  if (!devices) return pass(devices);
  ForcedDevices forced;
  for (const store::ForcedDevice& device : *devices) {
    forced.emplace(device.did, device.passes ? Force::kPass : Force::kFail);
  }
  forced_.set(std::make_shared<ForcedDevices>(std::move(forced)));
  return {};
}

// --- Judging -------------------------------------------------------------------------------------

Force PolicyKeeper::force_of(const std::string& did) const {
  const auto forced = forced_.get();
  const auto found = forced->find(did);
  return found == forced->end() ? Force::kNone : found->second;
}

policy::Verdict PolicyKeeper::judge(const policy::Facts& facts,
                                    const std::vector<protocol::Finding>& findings, UnixTime now) {
  const auto state = state_.get();
  const Force force = force_of(facts.did);
  policy::Verdict verdict = policy::judge(state->current.policy, facts, findings, now, force);
  if (state->canary && in_canary(state->canary->version.hash, facts.did, state->canary->percent)) {
    const bool passed_before = verdict.passed;
    verdict = policy::judge(state->canary->version.policy, facts, findings, now, force);
    CanaryCounts& counts = *state->canary->counts;
    ++counts.appraisals;
    if (passed_before && !verdict.passed) ++counts.newly_failing;
    if (!passed_before && verdict.passed) ++counts.newly_passing;
  }
  Appraisal record{now, facts, findings, force, verdict.passed, {}};
  for (const protocol::Finding& finding : verdict.with(policy::Action::kReject)) {
    record.rejecting.push_back(finding.id);
  }
  appraisals_.add(std::move(record));
  return verdict;
}

Result<void> PolicyKeeper::flush() {
  const auto records = appraisals_.take();
  return records.empty() ? Result<void>() : store_.put_appraisals(records);
}

// --- The document --------------------------------------------------------------------------------

Json PolicyKeeper::show() {
  const auto state = state_.get();
  Json out = to_json(state->current);
  out["revision"] = state->revision;
  out["findings"] = policy::explain_findings(state->current.policy);
  out["canary"] = nullptr;
  if (state->canary) {
    out["canary"] = to_json(state->canary->version);
    out["canary"]["percent"] = state->canary->percent;
    out["canary"]["appraisals"] = state->canary->counts->appraisals.load();
    out["canary"]["newly_failing"] = state->canary->counts->newly_failing.load();
    out["canary"]["newly_passing"] = state->canary->counts->newly_passing.load();
  }
  return out;
}

Result<void> PolicyKeeper::check_revision(const State& state, std::int64_t revision) const {
  if (revision == state.revision) return {};
  return fail(PolicyError::kConflict, "the policy is at revision " +
                                          std::to_string(state.revision) + " by now, not " +
                                          std::to_string(revision));
}

Result<void> PolicyKeeper::change(State next, const std::string& actor, const std::string& action,
                                  const std::string& detail) {
  ++next.revision;
  Json json = to_json(next.current);
  json["revision"] = next.revision;
  if (next.canary) {
    json["canary"] = to_json(next.canary->version);
    json["canary"]["percent"] = next.canary->percent;
  }
  const std::string stored = dump_json(json);
  auto done = audited_(actor, action, "revision " + std::to_string(next.revision) + ", " + detail,
                       [&] { return store_.put(kName, as_bytes(stored)); });
  if (!done) return done;
  state_.set(std::make_shared<State>(std::move(next)));
  return {};
}

Result<Json> PolicyKeeper::put(const std::string& text, std::int64_t revision,
                               std::optional<unsigned> canary, const std::string& actor) {
  if (canary && (*canary < 1 || *canary > 99)) {
    return fail(PolicyError::kBadPercent, "a canary takes 1 to 99 percent of the devices");
  }
  auto version = compile(text, actor, clock_.now());
  if (!version) return pass(version);
  const std::lock_guard lock(changes_);
  State next = *state_.get();
  if (auto ok = check_revision(next, revision); !ok) return pass(ok);
  std::string detail = "sha256 " + version->hash;
  if (canary) {
    // The same candidate for another share keeps its counts.
    const bool same = next.canary && next.canary->version.text == text;
    if (!same) next.canary = Canary{std::move(*version), 0};
    next.canary->percent = *canary;
    detail += ", for " + std::to_string(*canary) + " %";
  } else {
    next.canary.reset();
    next.current = std::move(*version);
  }
  auto done = change(std::move(next), actor, canary ? "policy.canary" : "policy.set", detail);
  if (!done) return pass(done);
  return Json{{"revision", state_.get()->revision}, {"warnings", warnings_json(text)}};
}

Result<Json> PolicyKeeper::end_canary(CanaryEnd how, std::int64_t revision,
                                      const std::string& actor) {
  const std::lock_guard lock(changes_);
  State next = *state_.get();
  if (auto ok = check_revision(next, revision); !ok) return pass(ok);
  if (!next.canary) return fail(PolicyError::kNoCanary, "no candidate is being rolled out");
  const bool promote = how == CanaryEnd::kPromote;
  const std::string detail = "sha256 " + next.canary->version.hash;
  if (promote) next.current = std::move(next.canary->version);
  next.canary.reset();
  auto done = change(std::move(next), actor, promote ? "policy.promote" : "policy.abort", detail);
  if (!done) return pass(done);
  return Json{{"revision", state_.get()->revision}};
}

Result<Json> PolicyKeeper::replay(const std::string& text, std::size_t last) {
  auto version = compile(text, "", clock_.now());
  if (!version) return pass(version);
  if (auto ok = flush(); !ok) return pass(ok);
  auto records = store_.appraisals(last, std::nullopt);
  if (!records) return pass(records);
  return state::replay(version->policy, *records);
}

// --- Devices -------------------------------------------------------------------------------------

Json PolicyKeeper::device_json(const store::DeviceRecord& record) const {
  return {{"did", record.did},
          {"last_seen", to_unix(record.last_seen)},
          {"passed", record.passed},
          {"arc", record.arc},
          {"package", record.package_name},
          {"force", policy::to_string(force_of(record.did))}};
}

Result<std::string> PolicyKeeper::resolve(const std::string& did) {
  if (did != "latest") {
    const auto bytes = base64_decode(did);
    if (bytes && bytes->size() == kDeviceIdBytes) return did;
    return fail(PolicyError::kBadDevice, "\"" + did.substr(0, 64) +
                                             "\" is not a device id: the base64 of 16 bytes, or "
                                             "latest");
  }
  if (auto seen = seen_.latest(); !seen.empty()) return seen;
  auto stored = store_.devices(1);
  if (!stored) return pass(stored);
  if (stored->empty()) return fail(PolicyError::kNoDevice, "no device was seen yet");
  return stored->front().did;
}

Result<Json> PolicyKeeper::devices(std::size_t limit) {
  if (auto ok = store_.put_devices(seen_.take()); !ok) return pass(ok);
  auto records = store_.devices(limit);
  if (!records) return pass(records);
  Json out = Json::array();
  for (const store::DeviceRecord& record : *records) out.push_back(device_json(record));
  return Json{{"devices", std::move(out)}};
}

Result<Json> PolicyKeeper::device(const std::string& name) {
  auto did = resolve(name);
  if (!did) return pass(did);
  if (auto ok = store_.put_devices(seen_.take()); !ok) return pass(ok);
  if (auto ok = flush(); !ok) return pass(ok);
  auto record = store_.device(*did);
  if (!record) return pass(record);
  if (!*record) return fail(PolicyError::kNoDevice, "device " + *did + " was never seen");
  auto recorded = store_.appraisals(1, *did);
  if (!recorded) return pass(recorded);
  Json out = device_json(**record);
  out["appraisal"] = nullptr;
  if (recorded->empty()) return out;
  auto appraisal = from_record(recorded->front());
  if (!appraisal) return pass(appraisal);
  const policy::Policy& policy = state_.get()->current.policy;
  const policy::Verdict verdict =
      policy::judge(policy, appraisal->facts, appraisal->findings, appraisal->time, force_of(*did));
  out["appraisal"] = policy::explain(policy, verdict);
  out["appraisal"]["time"] = to_unix(appraisal->time);
  out["appraisal"]["facts"] = policy::to_json(appraisal->facts);
  return out;
}

Result<Json> PolicyKeeper::force(const std::string& name, Force force, const std::string& actor) {
  auto did = resolve(name);
  if (!did) return pass(did);
  const std::lock_guard lock(changes_);
  ForcedDevices next = *forced_.get();
  if (force != Force::kNone && next.size() >= kMaxForcedDevices && !next.contains(*did)) {
    return fail(PolicyError::kTooMany, "more than " + std::to_string(kMaxForcedDevices) +
                                           " devices are forced; clear some first");
  }
  auto done = audited_(
      actor, "device.force", *did + " " + std::string(policy::to_string(force)),
      [&]() -> Result<void> {
        if (force == Force::kNone) return store_.remove_forced_device(*did);
        return store_.put_forced_device({*did, force == Force::kPass, actor, clock_.now()});
      });
  if (!done) return pass(done);
  if (force == Force::kNone) {
    next.erase(*did);
  } else {
    next.insert_or_assign(*did, force);
  }
  forced_.set(std::make_shared<ForcedDevices>(std::move(next)));
  return Json{{"did", *did}, {"force", policy::to_string(force)}};
}

}  // namespace touchmark::verifier::state
