#include "verifier/policy/demand.h"

#include <algorithm>

namespace touchmark::verifier::policy {
namespace {

// The level that is asked for in effect: a finding that does not reject asks for nothing.
Assurance asked(const Policy& policy, const Ruled<Assurance>& level) {
  const bool enforced =
      policy.action(protocol::FindingId::kHardwareAssurance).value == Action::kReject;
  return enforced ? level.value : Assurance::kSoftware;
}

std::string_view key_of(Assurance least) {
  switch (least) {
    case Assurance::kSoftware:
      return "on its own word: no hardware vouches for it";
    case Assurance::kPlatform:
      return "and Google Play's word, or a key in the phone's hardware";
    case Assurance::kTee:
    case Assurance::kSecureChip:
      return "with a key in the phone's hardware";
  }
  return "";
}

}  // namespace

Demand demand_of(const Policy& policy, bool host_builds) {
  const Assurance android = asked(policy, policy.assurance.android);
  const Assurance ios = asked(policy, policy.assurance.ios);
  const Assurance host = asked(policy, policy.assurance.host);
  Demand out;
  out.takes = "a registered app " + std::string(key_of(std::min(android, ios))) +
              " (Android: " + std::string(to_string(android)) +
              ", iOS: " + std::string(to_string(ios)) + ")";
  std::string open;
  const auto note = [&open](std::string_view name) {
    open += (open.empty() ? "" : ", ") + std::string(name);
  };
  if (android == Assurance::kSoftware) note("Android");
  if (ios == Assurance::kSoftware) note("iOS");
  if (!open.empty()) {
    out.warnings.push_back("SOFTWARE EVIDENCE PASSES (" + open +
                           "): a script that has the app's package gets valid tokens; `touchmark "
                           "policy presets strict` prints a policy that asks for hardware");
  }
  if (host_builds) {
    out.warnings.push_back(
        "--allow-host-builds lets the lab's Linux build in, which proves no phone" +
        std::string(host == Assurance::kSoftware
                        ? ": with assurance.host = software, any program that says it is one"
                        : " (host: " + std::string(to_string(host)) + ")"));
  }
  return out;
}

}  // namespace touchmark::verifier::policy
