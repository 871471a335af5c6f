#include "verifier/state/appraisal_journal.h"

#include <set>
#include <utility>

#include "verifier/policy/facts_json.h"

namespace touchmark::verifier::state {
namespace {

using policy::Force;

constexpr std::size_t kMaxListedDevices = 1000;

// Each id once; `findings` are sorted.
std::vector<std::string> names_of(const std::vector<protocol::FindingId>& findings) {
  std::vector<std::string> out;
  for (const protocol::FindingId id : findings) {
    if (out.empty() || out.back() != protocol::to_string(id)) {
      out.emplace_back(protocol::to_string(id));
    }
  }
  return out;
}

std::vector<protocol::FindingId> ids_of(const std::vector<protocol::Finding>& findings) {
  std::vector<protocol::FindingId> out;
  for (const protocol::Finding& finding : findings) out.push_back(finding.id);
  return out;
}

Force force_of(const std::string& text) {
  for (const Force force : {Force::kPass, Force::kFail}) {
    if (text == policy::to_string(force)) return force;
  }
  return Force::kNone;
}

}  // namespace

model::AppraisalRecord to_record(const RecordedAppraisal& appraisal) {
  policy::Facts facts = appraisal.facts;
  facts.ip.clear();
  const Json content{{"facts", policy::to_json(facts)},
                     {"findings", policy::to_json(appraisal.findings)},
                     {"force", policy::to_string(appraisal.force)},
                     {"rejecting", Json(names_of(appraisal.rejecting))}};
  return {appraisal.time, facts.device_id, appraisal.passed, dump_json(content)};
}

Result<RecordedAppraisal> from_record(const model::AppraisalRecord& record) {
  const auto corrupt = [&](const Error& error) {
    return fail(store::StoreError::kCorrupt, "a recorded appraisal of " + record.device_id +
                                                 " cannot be read: " + error.message());
  };
  auto content = parse_json(record.content);
  if (!content) return corrupt(content.error());
  auto facts = policy::facts_from_json(content->value("facts", Json()));
  if (!facts) return corrupt(facts.error());
  auto findings = policy::findings_from_json(content->value("findings", Json()));
  if (!findings) return corrupt(findings.error());
  RecordedAppraisal out{record.time,          std::move(*facts),
                        std::move(*findings), force_of(find_string(*content, "force").value_or("")),
                        record.passed,        {}};
  for (const Json& id : content->value("rejecting", Json::array())) {
    const protocol::FindingInfo* info =
        id.is_string() ? protocol::find_finding(id.get<std::string>()) : nullptr;
    if (info != nullptr) out.rejecting.push_back(info->number);
  }
  return out;
}

Result<Replay> replay(const policy::Policy& policy,
                      const std::vector<model::AppraisalRecord>& records) {
  Replay out;
  out.appraisals = records.size();
  std::set<std::string> failing;
  std::set<std::string> passing;
  for (const model::AppraisalRecord& record : records) {
    auto before = from_record(record);
    if (!before) return pass(before);
    const policy::Verdict now =
        policy::judge(policy, before->facts, before->findings, before->time, before->force);
    if (now.passed == before->passed) continue;
    ++(now.passed ? out.newly_passing : out.newly_failing).appraisals;
    const auto reasons =
        names_of(now.passed ? before->rejecting : ids_of(now.with(policy::Action::kReject)));
    for (const std::string& reason : reasons) ++out.reasons[reason];
    if (!(now.passed ? passing : failing).insert(record.device_id).second) continue;
    if (out.devices.size() == kMaxListedDevices) {
      ++out.devices_left_off;
      continue;
    }
    out.devices.push_back({before->facts.device_id, before->facts.package_name,
                           before->facts.platform, before->facts.model, before->time, now.passed,
                           reasons});
  }
  out.newly_failing.devices = failing.size();
  out.newly_passing.devices = passing.size();
  return out;
}

void AppraisalJournal::add(RecordedAppraisal appraisal) {
  const MutexLock lock(mutex_);
  if (pending_.size() < kCapacity) pending_.push_back(std::move(appraisal));
}

Result<void> AppraisalJournal::flush() {
  std::vector<RecordedAppraisal> taken;
  {
    const MutexLock lock(mutex_);
    taken.swap(pending_);
  }
  if (taken.empty()) return {};
  std::vector<model::AppraisalRecord> records;
  records.reserve(taken.size());
  for (const RecordedAppraisal& appraisal : taken) records.push_back(to_record(appraisal));
  return store_.remember(
      [&](store::Transaction& transaction) { return transaction.put_appraisals(records); });
}

Result<std::optional<RecordedAppraisal>> AppraisalJournal::newest(const std::string& device_id) {
  if (auto ok = flush(); !ok) return pass(ok);
  auto records = store_.read().appraisals(1, device_id);
  if (!records) return pass(records);
  if (records->empty()) return std::nullopt;
  auto appraisal = from_record(records->front());
  if (!appraisal) return pass(appraisal);
  return std::move(*appraisal);
}

Result<Replay> AppraisalJournal::replay(const policy::Policy& policy, std::size_t last) {
  if (auto ok = flush(); !ok) return pass(ok);
  auto records = store_.read().appraisals(last, std::nullopt);
  if (!records) return pass(records);
  return state::replay(policy, *records);
}

}  // namespace touchmark::verifier::state
