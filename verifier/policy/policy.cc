#include "verifier/policy/policy.h"

#include <algorithm>

#include "verifier/policy/requirements.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;

// What a forced pass leaves standing: the evidence is not this device's, or was used before.
bool outlasts_forced_pass(FindingId finding) {
  constexpr std::array kStanding{FindingId::kChallengeInvalid, FindingId::kChallengeExpired,
                                 FindingId::kChallengeReplayed, FindingId::kEvidenceWrongAccount,
                                 FindingId::kNetworkMitm};
  return std::ranges::find(kStanding, finding) != kStanding.end();
}

void decide(Decided& one, const Policy& policy, const Facts& facts, Force force) {
  const Ruled<Action>& action = policy.action(one.finding.id);
  one.action = action.value;
  one.decided_by = action.rule;
  // What is allowed by that name is the lab's build, and no other.
  if (one.finding.id == FindingId::kDeviceHostBuild && facts.platform == kUnknownPlatform) {
    one.action = Action::kReject;
    one.decided_by = {"an SDK build that does not exist"};
  }
  if (one.finding.id == FindingId::kDeviceForcedFail) {
    one.action = Action::kReject;
    one.decided_by = {"forced fail of the device"};
  } else if (force == Force::kPass && one.action == Action::kReject &&
             !outlasts_forced_pass(one.finding.id)) {
    one.action = Action::kAnnotate;
    one.decided_by = {"forced pass of the device"};
  }
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kReject:
      return "reject";
    case Action::kAnnotate:
      return "annotate";
    case Action::kIgnore:
      return "ignore";
  }
  return "unknown";
}

std::string_view to_string(Assurance assurance) {
  switch (assurance) {
    case Assurance::kSoftware:
      return "software";
    case Assurance::kPlatform:
      return "platform";
    case Assurance::kTee:
      return "tee";
    case Assurance::kSecureChip:
      return "secure-chip";
  }
  return "unknown";
}

std::string_view to_string(BootState state) {
  switch (state) {
    case BootState::kVerified:
      return "verified";
    case BootState::kSelfSigned:
      return "self-signed";
    case BootState::kUnverified:
      return "unverified";
    case BootState::kFailed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(Force force) {
  switch (force) {
    case Force::kNone:
      return "none";
    case Force::kPass:
      return "pass";
    case Force::kFail:
      return "fail";
  }
  return "unknown";
}

std::string to_string(const Rule& rule) {
  if (rule.line == 0) return rule.key;
  return rule.key + " (line " + std::to_string(rule.line) + ")";
}

Policy::Policy() {
  actions_.fill({Action::kReject, {"findings (default)"}});
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    if (info.level != protocol::Level::kAnnotate) continue;
    set_action(info.number, Action::kAnnotate, {"findings (default)"});
  }
}

void Policy::set_action(FindingId finding, Action action, Rule rule) {
  actions_[static_cast<std::size_t>(finding)] = {action, std::move(rule)};
}

std::vector<protocol::Finding> Verdict::with(Action action) const {
  std::vector<protocol::Finding> out;
  for (const Decided& one : findings) {
    if (one.action == action) out.push_back(one.finding);
  }
  return out;
}

std::vector<FindingId> Verdict::ids_with(Action action) const {
  std::vector<FindingId> out;
  for (const Decided& one : findings) {
    if (one.action == action) out.push_back(one.finding.id);
  }
  return out;
}

std::vector<protocol::Finding> Verdict::notable() const {
  std::vector<protocol::Finding> out;
  for (const Decided& one : findings) {
    if (one.action != Action::kIgnore) out.push_back(one.finding);
  }
  return out;
}

Verdict judge(const Policy& policy, const Facts& facts,
              const std::vector<protocol::Finding>& findings, UnixTime now, Force force) {
  Verdict verdict{true, force, {}};
  for (const protocol::Finding& finding : findings) verdict.findings.push_back({finding});
  for (Unmet& unmet : unmet_requirements(policy, facts, now)) {
    verdict.findings.push_back({std::move(unmet.finding), {}, {}, std::move(unmet.requirement)});
  }
  if (force == Force::kFail) verdict.findings.push_back({{FindingId::kDeviceForcedFail, ""}});
  for (Decided& one : verdict.findings) {
    decide(one, policy, facts, force);
    if (one.action == Action::kReject) verdict.passed = false;
  }
  std::ranges::stable_sort(verdict.findings, {}, [](const Decided& one) { return one.finding.id; });
  return verdict;
}

}  // namespace touchmark::verifier::policy
