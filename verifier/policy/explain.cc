#include "verifier/policy/explain.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;

std::string listed(const Words& words, std::string_view last_joint) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " " + std::string(last_joint) + " " : ", ";
    out += words[i].empty() ? "none" : words[i];
  }
  return out.empty() ? "none" : out;
}

// Gathers what several rules ask for.
class Demands {
 public:
  void add(const std::string& demand) {
    if (!text_.empty()) text_ += "; ";
    text_ += demand;
  }
  void at_least(const std::string& what, const Optional<Version>& least) {
    if (least) add(what + " " + to_string(least->value) + " or later");
  }
  void patch_level(const std::string& what, const Optional<PatchLimit>& limit) {
    if (limit) add(what + " patch level " + to_string(limit->value) + ", stated by hardware");
  }
  void one_of(const std::string& what, const Words& words) {
    add(what + " " + listed(words, "or"));
  }
  std::string or_else(std::string otherwise) && {
    return text_.empty() ? std::move(otherwise) : std::move(text_);
  }

 private:
  std::string text_;
};

std::string assurance_demand(const AssuranceRules& rules) {
  Demands out;
  const auto add = [&](const std::string& platform, const Ruled<Assurance>& rule) {
    out.add("on " + platform + " a key of assurance " + std::string(to_string(rule.value)) +
            (rule.value == Assurance::kSecureChip ? "" : " or better"));
  };
  add("Android", rules.android);
  add("iOS", rules.ios);
  add("a host", rules.host);
  return std::move(out).or_else("");
}

std::string boot_demand(const Policy& policy) {
  Words names;
  for (const BootKey& key : policy.boot_keys) names.push_back(key.name);
  std::string out = "a system that the phone's maker signed";
  return names.empty() ? out : out + ", or one signed with a pinned key: " + listed(names, "or");
}

std::string filter_demand(const Policy& policy) {
  Words names;
  for (const Filter& filter : policy.filters) {
    if (filter.effect == Effect::kRefuse) names.push_back("\"" + filter.name + "\"");
  }
  return "a device that an allowing filter matches first, or none of " + listed(names, "and");
}

std::string play_app_demand(const PlayRules& rules) {
  Demands out;
  out.one_of("app recognition", rules.app_recognition.value);
  out.one_of("licensing", rules.app_licensing.value);
  return std::move(out).or_else("");
}

std::string play_environment_demand(const PlayRules& rules) {
  Demands out;
  if (rules.play_protect) out.one_of("Play Protect", rules.play_protect->value);
  if (rules.device_activity) out.one_of("device activity", rules.device_activity->value);
  if (rules.refused_apps) {
    out.add("no running app of " + listed(rules.refused_apps->value, "or"));
  }
  return std::move(out).or_else("anything: the policy asks for nothing here");
}

std::string installer_demand(const Policy& policy) {
  Demands out;
  if (policy.app.installers) out.one_of("on Android installer", policy.app.installers->value);
  if (policy.app_attest.validation_categories) {
    Words numbers;
    for (const std::uint32_t category : policy.app_attest.validation_categories->value) {
      numbers.push_back(std::to_string(category));
    }
    out.one_of("on iOS validation category", numbers);
  }
  return std::move(out).or_else("any installer: the policy names none");
}

// For findings that a policy's own rules make; empty for all others.
std::string required_by_policy(const Policy& policy, FindingId finding) {
  Demands out;
  switch (finding) {
    case FindingId::kAppInstaller:
      return installer_demand(policy);
    case FindingId::kAppDevelopment:
      return policy.app.development_keys.value
                 ? "any registered key: development keys are allowed"
                 : "a release that is not signed with a development key";
    case FindingId::kDeviceFiltered:
      return filter_demand(policy);
    case FindingId::kDevicePatchLevel:
      out.patch_level("OS", policy.android.os_patch_level);
      out.patch_level("vendor", policy.android.vendor_patch_level);
      out.patch_level("boot", policy.android.boot_patch_level);
      return std::move(out).or_else("any patch level: the policy asks for none");
    case FindingId::kDeviceOsVersion:
      out.at_least("Android", policy.android.min_os_version);
      out.at_least("iOS", policy.ios.min_os_version);
      out.at_least("Android SDK", policy.play.min_sdk_version);
      return std::move(out).or_else("any version: the policy asks for none");
    case FindingId::kHardwareAssurance:
      return assurance_demand(policy.assurance);
    case FindingId::kHardwareVersion:
      out.at_least("attestation version", policy.android.min_attestation_version);
      out.at_least("KeyMint version", policy.android.min_keymint_version);
      return std::move(out).or_else("any version: the policy asks for none");
    case FindingId::kHardwareDevelopment:
      out.one_of("App Attest environment", policy.app_attest.environments.value);
      return std::move(out).or_else("");
    case FindingId::kBootUnverified:
      return boot_demand(policy);
    case FindingId::kPlayApp:
      return play_app_demand(policy.play);
    case FindingId::kPlayDevice:
      return "device labels " + listed(policy.play.device_labels.value, "and");
    case FindingId::kPlayEnvironment:
      return play_environment_demand(policy.play);
    default:
      return "";
  }
}

// For all others: what is sound, whatever the policy says.
std::string_view sound(FindingId finding) {
  switch (finding) {
    case FindingId::kAppNotRegistered:
    case FindingId::kAppByCertificate:
      return "a registered release: `touchmark registration add`";
    case FindingId::kAppRegistrationExpired:
      return "a registration that lasts longer: register the release again";
    case FindingId::kAppRangeProof:
    case FindingId::kAppClaimsMismatch:
      return "the registered package itself, unchanged";
    case FindingId::kAppPathMismatch:
    case FindingId::kAppCodeNotFromPackage:
      return "code that was loaded from the installed package";
    case FindingId::kAppVirtualSpace:
      return "the app itself, installed by the platform's installer";
    case FindingId::kAppUnreadable:
      return "an installed package that can be read and is signed";
    case FindingId::kChallengeInvalid:
    case FindingId::kChallengeExpired:
    case FindingId::kChallengeReplayed:
      return "a fresh challenge of this service, answered once and in time";
    case FindingId::kEvidenceWrongAccount:
      return "an app with this service's initial configuration";
    case FindingId::kEvidenceChecksMissing:
      return "an SDK that ran all of its checks";
    case FindingId::kEvidenceUnknownFinding:
      return "a service at least as new as the SDK";
    case FindingId::kNetworkMitm:
      return "a connection from the app to this service with nobody in between";
    case FindingId::kHookTextModified:
    case FindingId::kHookImportRedirected:
    case FindingId::kHookUnknownCode:
    case FindingId::kHookFramework:
    case FindingId::kHookPreload:
    case FindingId::kHookJavaMethod:
    case FindingId::kHookJni:
    case FindingId::kHookHiddenCode:
    case FindingId::kHookForeignClasses:
      return "a process without foreign or changed code";
    case FindingId::kDebugAttached:
    case FindingId::kDebugBreakpoint:
    case FindingId::kDebugDebuggable:
      return "a process without a debugger";
    case FindingId::kRootSu:
    case FindingId::kRootTestKeys:
    case FindingId::kRootWritableSystem:
    case FindingId::kRootMounts:
    case FindingId::kRootBootState:
    case FindingId::kRootDebuggableSystem:
    case FindingId::kRootSelinux:
    case FindingId::kRootChangedProperty:
    case FindingId::kRootJailbreak:
      return "a device that is not rooted";
    case FindingId::kDeviceEmulator:
    case FindingId::kDeviceHostBuild:
    case FindingId::kDeviceKernel:
    case FindingId::kDeviceMemory:
    case FindingId::kDeviceProcessor:
    case FindingId::kDeviceTiming:
    case FindingId::kDeviceLibc:
      return "a phone";
    case FindingId::kDeviceForcedFail:
      return "any verdict of its own: `touchmark device clear`";
    case FindingId::kHardwareRefused:
      return "hardware evidence that verifies";
    case FindingId::kHardwareRevoked:
      return "hardware keys that are not revoked";
    case FindingId::kHardwareRevocationUnknown:
      return "a service with a recent revocation list";
    case FindingId::kHardwareOtherKey:
      return "hardware evidence about the installation key";
    case FindingId::kHardwareOtherApp:
      return "hardware evidence of the registered app";
    case FindingId::kHardwareReplayed:
      return "fresh hardware evidence";
    case FindingId::kBootUnlocked:
      return "a locked boot loader";
    case FindingId::kSurroundingsAccessibility:
      return "no accessibility service but those of the system and of a store";
    case FindingId::kSurroundingsOverlay:
      return "no other app's window over this app's";
    case FindingId::kSurroundingsVpn:
      return "a connection without a VPN";
    case FindingId::kSurroundingsProxy:
      return "a connection without a proxy";
    default:
      return "evidence without this finding";
  }
}

Json rule_json(const Rule& rule) {
  return {{"key", rule.key}, {"line", rule.line == 0 ? Json() : Json(rule.line)}};
}

}  // namespace

std::string would_pass(const Policy& policy, FindingId finding) {
  std::string required = required_by_policy(policy, finding);
  return required.empty() ? std::string(sound(finding)) : required;
}

Json explain(const Policy& policy, const Verdict& verdict) {
  Json findings = Json::array();
  for (const Decided& one : verdict.findings) {
    const protocol::FindingId id = one.finding.id;
    const protocol::FindingInfo* info = protocol::find_finding(static_cast<std::uint8_t>(id));
    const bool rejects = one.action == Action::kReject;
    findings.push_back({{"number", static_cast<int>(id)},
                        {"id", protocol::to_string(id)},
                        {"meaning", info == nullptr ? "" : std::string(info->meaning)},
                        {"detail", one.finding.detail},
                        {"action", to_string(one.action)},
                        {"rule", rule_json(one.decided_by)},
                        {"requirement", one.requirement ? rule_json(*one.requirement) : Json()},
                        {"would_pass", rejects ? Json(would_pass(policy, id)) : Json()}});
  }
  return {{"passed", verdict.passed},
          {"force", to_string(verdict.force)},
          {"findings", std::move(findings)}};
}

Json explain_findings(const Policy& policy) {
  Json out = Json::object();
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    const Ruled<Action>& action = policy.action(info.number);
    out[std::string(info.id)] = {{"number", static_cast<int>(info.number)},
                                 {"action", to_string(action.value)},
                                 {"rule", rule_json(action.rule)},
                                 {"would_pass", would_pass(policy, info.number)}};
  }
  return out;
}

}  // namespace touchmark::verifier::policy
