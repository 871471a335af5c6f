#include "verifier/state/appraisal_journal.h"

#include <algorithm>
#include <utility>

#include "protocol/findings.h"
#include "verifier/policy/facts_json.h"

namespace touchmark::verifier::state {
namespace {

using policy::Force;

constexpr std::size_t kMaxListedDevices = 1000;
constexpr std::size_t kPage = 64;             // records in memory
constexpr std::size_t kWrittenAtOnce = 1024;  // records in one transaction
constexpr std::size_t kCutText = 64;          // bytes of a fact in a record that would be too large
constexpr std::size_t kCutWords = 8;

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

std::vector<protocol::Finding> without_details(std::vector<protocol::Finding> findings) {
  for (protocol::Finding& finding : findings) finding.detail.clear();
  return findings;
}

// Text of the app's own as a record of bounded size keeps it: no byte grows in JSON.
void cut(std::string& text) {
  text.resize(std::min(text.size(), kCutText));
  for (char& c : text) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '?';
  }
}

void cut(std::vector<std::string>& words) {
  words.resize(std::min(words.size(), kCutWords));
  for (std::string& word : words) cut(word);
}

policy::Facts cut(policy::Facts facts) {
  for (std::string* text : {&facts.os_version, &facts.manufacturer, &facts.model, &facts.installer,
                            &facts.package_name, &facts.sdk_version}) {
    cut(*text);
  }
  if (facts.android && facts.android->boot) {
    Bytes& key = facts.android->boot->key;
    key.resize(std::min(key.size(), kCutText));
  }
  if (facts.play) {
    cut(facts.play->app_recognition);
    cut(facts.play->app_licensing);
    cut(facts.play->play_protect);
    cut(facts.play->device_recognition);
    cut(facts.play->recent_device_activity);
    cut(facts.play->apps_detected);
  }
  return facts;
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
  Json content{{"facts", policy::to_json(facts)},
               {"findings", policy::to_json(appraisal.findings)},
               {"force", policy::to_string(appraisal.force)},
               {"rejecting", Json(names_of(appraisal.rejecting))}};
  std::string text = dump_json(content);
  if (text.size() > kMaxRecordBytes) {
    content["findings"] = policy::to_json(without_details(appraisal.findings));
    text = dump_json(content);
  }
  if (text.size() > kMaxRecordBytes) {
    content["facts"] = policy::to_json(cut(std::move(facts)));
    text = dump_json(content);
  }
  return {appraisal.time, appraisal.facts.device_id, appraisal.passed, std::move(text)};
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

Result<void> Replayer::add(const model::AppraisalRecord& record) {
  auto before = from_record(record);
  if (!before) return pass(before);
  ++out_.appraisals;
  const policy::Verdict now =
      policy::judge(policy_, before->facts, before->findings, before->time, before->force);
  if (now.passed == before->passed) return {};
  ++(now.passed ? out_.newly_passing : out_.newly_failing).appraisals;
  const auto reasons =
      names_of(now.passed ? before->rejecting : now.ids_with(policy::Action::kReject));
  for (const std::string& reason : reasons) ++out_.reasons[reason];
  if (!(now.passed ? passing_ : failing_).insert(record.device_id).second) return {};
  if (out_.devices.size() == kMaxListedDevices) {
    ++out_.devices_left_off;
    return {};
  }
  out_.devices.push_back({before->facts.device_id, before->facts.package_name,
                          before->facts.platform, before->facts.model, before->time, now.passed,
                          reasons});
  return {};
}

Replay Replayer::end() {
  out_.newly_failing.devices = failing_.size();
  out_.newly_passing.devices = passing_.size();
  return std::move(out_);
}

bool AppraisalJournal::has_room(const std::vector<protocol::Finding>& findings) const {
  const bool refused = protocol::refuse_challenge(findings);
  const MutexLock lock(mutex_);
  return has_room(refused);
}

void AppraisalJournal::add(RecordedAppraisal appraisal) {
  const bool refused = protocol::refuse_challenge(appraisal.findings);
  const MutexLock lock(mutex_);
  if (!has_room(refused)) return;
  if (refused) ++refused_;
  pending_.push_back(std::move(appraisal));
}

Result<void> AppraisalJournal::flush() {
  std::vector<RecordedAppraisal> taken;
  {
    const MutexLock lock(mutex_);
    taken.swap(pending_);
    refused_ = 0;
  }
  for (std::size_t from = 0; from < taken.size(); from += kWrittenAtOnce) {
    std::vector<model::AppraisalRecord> some;
    for (std::size_t i = from; i < std::min(from + kWrittenAtOnce, taken.size()); ++i) {
      some.push_back(to_record(taken[i]));
    }
    auto ok = store_.remember(
        [&](store::Transaction& transaction) { return transaction.put_appraisals(some); });
    if (!ok) return ok;
  }
  return {};
}

Result<std::optional<RecordedAppraisal>> AppraisalJournal::newest(const std::string& device_id) {
  if (auto ok = flush(); !ok) return pass(ok);
  auto records = store_.read().appraisals(1, device_id, INT64_MAX);
  if (!records) return pass(records);
  if (records->empty()) return std::nullopt;
  auto appraisal = from_record(records->front());
  if (!appraisal) return pass(appraisal);
  return std::move(*appraisal);
}

Result<std::vector<AppraisalJournal::Numbered>> AppraisalJournal::since(std::int64_t after,
                                                                        std::size_t limit) {
  if (auto ok = flush(); !ok) return pass(ok);
  std::vector<Numbered> out;
  std::int64_t before = INT64_MAX;
  while (out.size() < limit) {
    auto page = store_.read().appraisals(std::min(limit - out.size(), kPage), std::nullopt, before);
    if (!page) return pass(page);
    for (const model::AppraisalRecord& record : *page) {
      before = record.number;
      if (record.number <= after) break;
      auto appraisal = from_record(record);
      if (appraisal) out.push_back({record.number, std::move(*appraisal)});
    }
    if (page->empty() || before <= after) break;
  }
  std::ranges::reverse(out);
  return out;
}

Result<Replay> AppraisalJournal::replay(const policy::Policy& policy, std::size_t last) {
  if (auto ok = flush(); !ok) return pass(ok);
  Replayer replayer(policy);
  std::int64_t before = INT64_MAX;
  while (last > 0) {
    auto page = store_.read().appraisals(std::min(last, kPage), std::nullopt, before);
    if (!page) return pass(page);
    if (page->empty()) break;
    for (const model::AppraisalRecord& record : *page) {
      if (auto ok = replayer.add(record); !ok) return pass(ok);
    }
    last -= page->size();
    before = page->back().number;
  }
  return replayer.end();
}

}  // namespace touchmark::verifier::state
