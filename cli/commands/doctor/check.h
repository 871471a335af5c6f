// The checks of `touchmark doctor`: one table, a row each. A check is a pure function of the facts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands/doctor/facts.h"

namespace touchmark::cli::commands::doctor {

enum class Health {
  kOk,
  kSkip,  // the service did not tell what it takes to judge
  kWarn,  // works, and should hardly be left so
  kFail,  // is broken, or open to whoever tries
};
std::string_view to_string(Health health);

struct Finding {
  Health health = Health::kOk;
  std::string subject{};  // which of several things it is about; empty: there is one only
  std::string message{};  // a line for people
  std::string advice{};   // what to do; empty where nothing is to be done
};
// One at least.
using Findings = std::vector<Finding>;

struct Check {
  std::string_view id;    // "data.backup"; never changes meaning
  std::string_view asks;  // what it looks at, for the manual
  Findings (*judge)(const Facts& facts);
};

// In the order in which they are shown. docs/operations.md has the same rows.
std::span<const Check> checks();

// What the functions below share.
inline Finding ok(std::string message) { return {Health::kOk, {}, std::move(message), {}}; }
inline Finding skip(std::string why) { return {Health::kSkip, {}, std::move(why), {}}; }
inline Finding warn(std::string subject, std::string message, std::string advice) {
  return {Health::kWarn, std::move(subject), std::move(message), std::move(advice)};
}
inline Finding broken(std::string subject, std::string message, std::string advice) {
  return {Health::kFail, std::move(subject), std::move(message), std::move(advice)};
}
// For what could not be had. It fails where the service broke down over it, and is skipped where
// nothing was to be had of it (service.reach, service.operator and service.version say why).
Finding untold(const Facts& facts, const Error& why);
// It answered, and said no to this operator.
bool was_refused(const Error& error);
// What to do about it, as the command says elsewhere.
std::string advice_for(const Error& error);
// `found`, or where nothing was found that all is well.
inline Findings or_ok(Findings found, std::string well) {
  if (found.empty()) found.push_back(ok(std::move(well)));
  return found;
}

// Of the service and where it is met (service_checks.cc).
Findings judge_reach(const Facts& facts);
Findings judge_operator(const Facts& facts);
Findings judge_clock(const Facts& facts);
Findings judge_version(const Facts& facts);
Findings judge_certificate(const Facts& facts);
Findings judge_pins(const Facts& facts);
Findings judge_public_url(const Facts& facts);

// Of the policy (policy_checks.cc).
Findings judge_assurance(const Facts& facts);
Findings judge_findings(const Facts& facts);
Findings judge_host_builds(const Facts& facts);
Findings judge_development(const Facts& facts);
Findings judge_candidate(const Facts& facts);
Findings judge_hardware_roots(const Facts& facts);
Findings judge_reasons(const Facts& facts);
Findings judge_revocation(const Facts& facts);

// Of the data folder and the process (data_checks.cc).
Findings judge_backup(const Facts& facts);
Findings judge_master_key(const Facts& facts);
Findings judge_token_file(const Facts& facts);
Findings judge_disk(const Facts& facts);
Findings judge_folder(const Facts& facts);
Findings judge_store(const Facts& facts);
Findings judge_audit(const Facts& facts);
Findings judge_descriptors(const Facts& facts);

// Of what operators registered (registered_checks.cc).
Findings judge_api_answers(const Facts& facts);
Findings judge_api_pins(const Facts& facts);
Findings judge_api_certificates(const Facts& facts);
Findings judge_apps(const Facts& facts);
Findings judge_sdk(const Facts& facts);
Findings judge_app_ends(const Facts& facts);
Findings judge_signer_ends(const Facts& facts);
Findings judge_operator_ends(const Facts& facts);

}  // namespace touchmark::cli::commands::doctor
