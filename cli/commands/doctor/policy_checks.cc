// The policy in force, and what the service was started with beside it.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/doctor/check.h"
#include "cli/io/text.h"
#include "verifier/policy/demand.h"

namespace touchmark::cli::commands::doctor {
namespace {

namespace policy = verifier::policy;
using policy::Action;
using policy::Assurance;
using protocol::FindingId;

constexpr const char* kStrictAdvice =
    "`touchmark policy presets strict` prints a policy that asks for hardware; `touchmark policy "
    "set FILE` puts one into force";
constexpr std::size_t kMostNamed = 5;

bool rejects(const policy::Policy& policy, FindingId finding) {
  return policy.action(finding).value == Action::kReject;
}

// The platforms whose software evidence passes.
std::string open_platforms(const policy::Policy& policy) {
  const bool asks = rejects(policy, FindingId::kHardwareAssurance);
  std::string out;
  const auto add = [&](const char* name, Assurance least) {
    if (asks && least != Assurance::kSoftware) return;
    out += (out.empty() ? "" : ", ") + std::string(name);
  };
  add("Android", policy.assurance.android.value);
  add("iOS", policy.assurance.ios.value);
  return out;
}

// Those that do not reject, by id; without those that reject by nobody's default.
std::vector<std::string> let_pass(const policy::Policy& policy) {
  std::vector<std::string> out;
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    if (info.level == protocol::Level::kAnnotate) continue;
    if (!rejects(policy, info.number)) out.emplace_back(info.id);
  }
  return out;
}

std::string some_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMostNamed) out += fmt::format(" and {} more", names.size() - kMostNamed);
  return out;
}

}  // namespace

Findings judge_assurance(const Facts& facts) {
  if (!facts.policy) return {untold(facts, facts.policy.error())};
  const std::string open = open_platforms(facts.policy->current);
  if (open.empty()) {
    return {ok("a valid token takes " + policy::demand_of(facts.policy->current, false).takes)};
  }
  return {broken("",
                 fmt::format("software evidence passes ({}): a script that has the app's package "
                             "gets valid tokens",
                             open),
                 kStrictAdvice)};
}

Findings judge_findings(const Facts& facts) {
  if (!facts.policy) return {untold(facts, facts.policy.error())};
  const policy::Policy& policy = facts.policy->current;
  const std::vector<std::string> passing = let_pass(policy);
  if (passing.empty()) return {ok("every finding rejects that is not only notable")};
  const std::string advice =
      "say \"reject\" in the policy's [findings], once the log shows that no genuine device has "
      "them";
  if (!rejects(policy, FindingId::kAppNotRegistered)) {
    return {broken("",
                   fmt::format("the policy reports and does not refuse: apps that are not "
                               "registered pass ({} do not reject)",
                               some_of(passing)),
                   advice)};
  }
  return {warn("", "these do not reject: " + some_of(passing), advice)};
}

Findings judge_host_builds(const Facts& facts) {
  if (!facts.policy) return {untold(facts, facts.policy.error())};
  if (!facts.policy->host_builds) return {ok("it is refused")};
  const std::string advice = "start the service without --allow-host-builds";
  const policy::Policy& policy = facts.policy->current;
  if (policy.assurance.host.value == Assurance::kSoftware ||
      !rejects(policy, FindingId::kHardwareAssurance)) {
    return {
        broken("", "it passes on its own word: so does any program that says it is one", advice)};
  }
  return {warn("", "it passes (--allow-host-builds), and proves no phone", advice)};
}

Findings judge_development(const Facts& facts) {
  if (!facts.policy) return {untold(facts, facts.policy.error())};
  const policy::Policy& policy = facts.policy->current;
  std::vector<std::string> open;
  if (policy.app.development_keys.value || !rejects(policy, FindingId::kAppDevelopment)) {
    open.emplace_back("app.development_keys");
  }
  const auto& environments = policy.app_attest.environments.value;
  if (std::ranges::find(environments, "development") != environments.end()) {
    open.emplace_back("app_attest.environments");
  }
  if (policy.play.test_responses.value) open.emplace_back("play_integrity.test_responses");
  if (open.empty()) return {ok("they are refused")};
  return {warn("", "the policy lets them pass: " + some_of(open),
               "set these keys of the policy for production (docs/policy.md)")};
}

Findings judge_candidate(const Facts& facts) {
  if (!facts.policy) return {untold(facts, facts.policy.error())};
  if (!facts.policy->candidate) return {ok("none is on trial")};
  const policy::Policy& candidate = *facts.policy->candidate;
  const std::string open = open_platforms(candidate);
  std::vector<std::string> more = let_pass(candidate);
  std::erase_if(more, [&](const std::string& id) {
    return !rejects(facts.policy->current, protocol::find_finding(id)->number);
  });
  const bool is_open_now = !open_platforms(facts.policy->current).empty();
  const std::string advice = "`touchmark policy canary abort` ends the trial";
  if (!open.empty() && !is_open_now) {
    return {
        broken("", fmt::format("software evidence passes under the candidate ({})", open), advice)};
  }
  if (!more.empty()) {
    return {warn("", "under the candidate these no longer reject: " + some_of(more), advice)};
  }
  return {ok("one is on trial, and lets in no more")};
}

Findings judge_hardware_roots(const Facts& facts) {
  if (!facts.diagnosis) return {untold(facts, facts.diagnosis.error())};
  if (facts.diagnosis->hardware_roots == 0) return {ok("Google's and Apple's alone")};
  return {broken("",
                 fmt::format("{} more: whoever holds one of them makes evidence of any phone",
                             facts.diagnosis->hardware_roots),
                 "start the service without --hardware-roots, which is for the lab")};
}

Findings judge_reasons(const Facts& facts) {
  if (!facts.policy) return {untold(facts, facts.policy.error())};
  if (!facts.policy->reveal_reasons) return {ok("they are not")};
  return {warn("", "they are: an attacker learns what gave them away",
               "start the service without --reveal-reasons")};
}

Findings judge_revocation(const Facts& facts) {
  if (!facts.status) return {untold(facts, facts.status.error())};
  const auto& list = facts.status->revocation;
  if (!list) {
    return {warn("", "no list is looked at: keys that leaked out of phones pass",
                 "start the service without --revocation off, or with --revocation FILE")};
  }
  const std::string advice =
      "see that the service reaches it, or that whoever writes the file still does";
  const std::string why = list->problem ? ": " + *list->problem : "";
  if (!list->confirmed) {
    if (!list->problem) return {warn("", list->source + " is still on its way", "ask again soon")};
    return {broken("", list->source + " is not there" + why, advice)};
  }
  const std::string of = list->source + " of " + io::local_time(*list->confirmed);
  if (!list->fresh) return {broken("", of + " is too old" + why, advice)};
  if (list->problem) return {warn("", of + " could not be renewed" + why, advice)};
  return {ok(of)};
}

}  // namespace touchmark::cli::commands::doctor
