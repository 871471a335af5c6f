#include "verifier/state/appraisal_log.h"

#include <map>
#include <set>
#include <utility>

#include "verifier/policy/facts_json.h"

namespace touchmark::verifier::state {
namespace {

using policy::Force;

constexpr std::size_t kMaxListedDevices = 1000;

Json ids_of(const std::vector<protocol::FindingId>& findings) {
  Json out = Json::array();
  for (const protocol::FindingId id : findings) {
    if (out.empty() || out.back() != protocol::to_string(id)) {
      out.push_back(protocol::to_string(id));
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

// Counts the appraisals whose verdict a policy changes in one direction.
struct Change {
  std::size_t appraisals = 0;
  std::set<std::string> devices{};

  Json to_json() const { return {{"appraisals", appraisals}, {"devices", devices.size()}}; }
};

Json changed_device(const Appraisal& before, bool passes, const Json& reasons) {
  return {{"did", before.facts.did},
          {"package", before.facts.package_name},
          {"platform", before.facts.platform},
          {"model", before.facts.model},
          {"time", to_unix(before.time)},
          {"passes", passes},
          {"reasons", reasons}};
}

}  // namespace

store::AppraisalRecord to_record(const Appraisal& appraisal) {
  policy::Facts facts = appraisal.facts;
  facts.ip.clear();
  const Json content{{"facts", policy::to_json(facts)},
                     {"findings", policy::to_json(appraisal.findings)},
                     {"force", policy::to_string(appraisal.force)},
                     {"rejecting", ids_of(appraisal.rejecting)}};
  return {appraisal.time, facts.did, appraisal.passed, dump_json(content)};
}

Result<Appraisal> from_record(const store::AppraisalRecord& record) {
  const auto corrupt = [&](const Error& error) {
    return fail(store::StoreError::kCorrupt,
                "a recorded appraisal of " + record.did + " cannot be read: " + error.message());
  };
  auto content = parse_json(record.content);
  if (!content) return corrupt(content.error());
  auto facts = policy::facts_from_json(content->value("facts", Json()));
  if (!facts) return corrupt(facts.error());
  auto findings = policy::findings_from_json(content->value("findings", Json()));
  if (!findings) return corrupt(findings.error());
  Appraisal out{record.time,          std::move(*facts),
                std::move(*findings), force_of(find_string(*content, "force").value_or("")),
                record.passed,        {}};
  for (const Json& id : content->value("rejecting", Json::array())) {
    const protocol::FindingInfo* info =
        id.is_string() ? protocol::find_finding(id.get<std::string>()) : nullptr;
    if (info != nullptr) out.rejecting.push_back(info->number);
  }
  return out;
}

Result<Json> replay(const policy::Policy& policy,
                    const std::vector<store::AppraisalRecord>& records) {
  Change failing;
  Change passing;
  std::map<std::string, std::size_t> reason_counts;
  Json devices = Json::array();
  std::size_t left_off = 0;
  for (const store::AppraisalRecord& record : records) {
    auto before = from_record(record);
    if (!before) return pass(before);
    const policy::Verdict now =
        policy::judge(policy, before->facts, before->findings, before->time, before->force);
    if (now.passed == before->passed) continue;
    Change& change = now.passed ? passing : failing;
    ++change.appraisals;
    const Json reasons =
        ids_of(now.passed ? before->rejecting : ids_of(now.with(policy::Action::kReject)));
    for (const Json& reason : reasons) ++reason_counts[reason.get<std::string>()];
    if (!change.devices.insert(record.did).second) continue;
    if (devices.size() == kMaxListedDevices) {
      ++left_off;
    } else {
      devices.push_back(changed_device(*before, now.passed, reasons));
    }
  }
  return Json{{"appraisals", records.size()},       {"newly_failing", failing.to_json()},
              {"newly_passing", passing.to_json()}, {"reasons", reason_counts},
              {"devices", std::move(devices)},      {"devices_left_off", left_off}};
}

void AppraisalQueue::add(Appraisal appraisal) {
  const std::lock_guard lock(mutex_);
  if (pending_.size() < kCapacity) pending_.push_back(std::move(appraisal));
}

std::vector<store::AppraisalRecord> AppraisalQueue::take() {
  std::vector<Appraisal> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(pending_);
  }
  std::vector<store::AppraisalRecord> out;
  out.reserve(taken.size());
  for (const Appraisal& appraisal : taken) out.push_back(to_record(appraisal));
  return out;
}

}  // namespace touchmark::verifier::state
