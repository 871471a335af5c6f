#include "verifier/policy/requirements.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "verifier/policy/property.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;

std::string joined(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "nothing" : out;
}

bool contains(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Gathers what is not met.
class Check {
 public:
  Check(const Policy& policy, const Facts& facts, UnixTime now)
      : policy_(policy), facts_(facts), now_(now) {}

  std::vector<Unmet> run() && {
    check_assurance();
    check_app();
    if (facts_.android) check_boot();
    if (facts_.platform == "android") check_android();
    if (facts_.platform == "ios") check_version("iOS", policy_.ios.min_os_version, own_version());
    if (facts_.app_attest) check_app_attest(*facts_.app_attest);
    check_play();
    check_filters();
    return std::move(unmet_);
  }

 private:
  void add(FindingId id, std::string detail, const Rule& rule) {
    unmet_.push_back({{id, std::move(detail)}, rule});
  }

  const Ruled<Assurance>& required_assurance() const {
    const AssuranceRules& rules = policy_.assurance;
    if (facts_.platform == "android") return rules.android;
    if (facts_.platform == "ios") return rules.ios;
    if (facts_.platform == "host") return rules.host;
    const auto stricter = [](const Ruled<Assurance>& a,
                             const Ruled<Assurance>& b) -> const Ruled<Assurance>& {
      return a.value >= b.value ? a : b;
    };
    return stricter(stricter(rules.android, rules.ios), rules.host);
  }

  void check_assurance() {
    const Ruled<Assurance>& required = required_assurance();
    // A verdict that a tester chose vouches for nothing, whatever play.device does.
    const bool chosen =
        facts_.play && facts_.play->test_response && !policy_.play.test_responses.value;
    const Assurance level = chosen && facts_.assurance == Assurance::kPlatform
                                ? Assurance::kSoftware
                                : facts_.assurance;
    if (level >= required.value) return;
    add(FindingId::kHardwareAssurance,
        "the installation key's assurance is " + std::string(to_string(level)) + ", not " +
            std::string(to_string(required.value)),
        required.rule);
  }

  void check_app() {
    const auto& installers = policy_.app.installers;
    const auto is_installer = [&](const std::string& pattern) {
      return glob_match(pattern, facts_.installer);
    };
    // Only Android tells an app who installed it.
    if (installers && facts_.platform == "android" &&
        std::ranges::none_of(installers->value, is_installer)) {
      add(FindingId::kAppInstaller,
          facts_.installer.empty() ? "no installer" : "installer " + shown(facts_.installer),
          installers->rule);
    }
    if (facts_.development_key && !policy_.app.development_keys.value) {
      add(FindingId::kAppDevelopment, "signed with a development key",
          policy_.app.development_keys.rule);
    }
  }

  void check_boot() {
    const auto& boot = facts_.android->boot;
    static const Rule kKeys{"boot.keys"};
    if (!boot) {
      add(FindingId::kBootUnverified, "the hardware does not say what was booted", kKeys);
      return;
    }
    if (!boot->locked) add(FindingId::kBootUnlocked, "", {"boot"});
    if (boot->state == BootState::kVerified) return;
    const bool pinned = boot->state == BootState::kSelfSigned &&
                        std::ranges::any_of(policy_.boot_keys, [&](const BootKey& key) {
                          return key.key == boot->key;
                        });
    if (pinned) return;
    std::string detail = "boot state " + std::string(to_string(boot->state));
    if (boot->state == BootState::kSelfSigned) detail += ", key " + hex_encode(boot->key);
    add(FindingId::kBootUnverified, std::move(detail), kKeys);
  }

  std::optional<Version> own_version() const { return parse_version(facts_.os_version); }

  void check_version(std::string_view name, const Optional<Version>& least,
                     const std::optional<Version>& seen) {
    if (!least || (seen && *seen >= least->value)) return;
    const std::string is = seen ? to_string(*seen) : shown(facts_.os_version);
    add(FindingId::kDeviceOsVersion, std::string(name) + " " + is, least->rule);
  }

  void check_android() {
    // The hardware's word counts before the app's.
    const AndroidFacts facts = facts_.android.value_or(AndroidFacts{});
    check_version("Android", policy_.android.min_os_version,
                  facts.os_version ? android_version(*facts.os_version) : own_version());
    check_patch_level("OS", policy_.android.os_patch_level, facts.os_patch_level);
    check_patch_level("vendor", policy_.android.vendor_patch_level, facts.vendor_patch_level);
    check_patch_level("boot", policy_.android.boot_patch_level, facts.boot_patch_level);
    check_hardware_version("attestation", policy_.android.min_attestation_version,
                           facts.attestation_version);
    check_hardware_version("KeyMint", policy_.android.min_keymint_version, facts.keymint_version);
  }

  void check_patch_level(const std::string& name, const Optional<PatchLimit>& limit,
                         std::optional<std::uint32_t> level) {
    if (!limit || (level && meets(limit->value, *level, now_))) return;
    add(FindingId::kDevicePatchLevel,
        level ? name + " patch level " + std::to_string(*level)
              : "no hardware evidence of the " + name + " patch level",
        limit->rule);
  }

  void check_hardware_version(const std::string& name, const Optional<Version>& least,
                              std::optional<std::uint32_t> version) {
    if (!least || (version && Version{{*version, 0, 0, 0}} >= least->value)) return;
    add(FindingId::kHardwareVersion,
        version ? name + " version " + std::to_string(*version)
                : "no hardware evidence of the " + name + " version",
        least->rule);
  }

  void check_app_attest(const AppAttestFacts& facts) {
    const AppAttestRules& rules = policy_.app_attest;
    const std::string_view environment = facts.production ? "production" : "development";
    if (!contains(rules.environments.value, environment)) {
      add(FindingId::kHardwareDevelopment, "App Attest environment " + std::string(environment),
          rules.environments.rule);
    }
    if (rules.validation_categories && facts.validation_category &&
        std::ranges::find(rules.validation_categories->value, *facts.validation_category) ==
            rules.validation_categories->value.end()) {
      add(FindingId::kAppInstaller,
          "validation category " + std::to_string(*facts.validation_category),
          rules.validation_categories->rule);
    }
  }

  void check_play() {
    const PlayRules& rules = policy_.play;
    if (!facts_.play) {
      if (rules.required.value && facts_.platform == "android") {
        add(FindingId::kPlayDevice, "no Play Integrity verdict", rules.required.rule);
      }
      return;
    }
    const PlayFacts& play = *facts_.play;
    if (play.test_response && !rules.test_responses.value) {
      add(FindingId::kPlayDevice, "the verdict was set for a tester in the Play Console",
          rules.test_responses.rule);
    }
    check_word(FindingId::kPlayApp, rules.app_recognition, play.app_recognition);
    check_word(FindingId::kPlayApp, rules.app_licensing, play.app_licensing);
    for (const std::string& label : rules.device_labels.value) {
      if (contains(play.device_recognition, label)) continue;
      add(FindingId::kPlayDevice, "labels " + joined(play.device_recognition),
          rules.device_labels.rule);
      break;
    }
    if (rules.play_protect) {
      check_word(FindingId::kPlayEnvironment, *rules.play_protect, play.play_protect);
    }
    if (rules.device_activity) check_activity(*rules.device_activity, play);
    if (rules.refused_apps) {
      for (const std::string& app : play.apps_detected) {
        if (!contains(rules.refused_apps->value, app)) continue;
        add(FindingId::kPlayEnvironment, shown(app), rules.refused_apps->rule);
        break;
      }
    }
    const std::optional<Version> sdk =
        play.sdk_version ? std::optional(Version{{*play.sdk_version, 0, 0, 0}}) : std::nullopt;
    if (rules.min_sdk_version && (!sdk || *sdk < rules.min_sdk_version->value)) {
      add(FindingId::kDeviceOsVersion,
          sdk ? "Android SDK " + to_string(*sdk) : "no Android SDK version in the Play verdict",
          rules.min_sdk_version->rule);
    }
  }

  void check_word(FindingId id, const Ruled<Words>& allowed, const std::string& word) {
    if (contains(allowed.value, word)) return;
    add(id, word.empty() ? "not stated" : shown(word), allowed.rule);
  }

  void check_activity(const Ruled<Words>& allowed, const PlayFacts& play) {
    const auto is_allowed = [&](const std::string& level) {
      return contains(allowed.value, level);
    };
    const auto& levels = play.recent_device_activity;
    if (!levels.empty() && std::ranges::all_of(levels, is_allowed)) return;
    add(FindingId::kPlayEnvironment, "device activity " + joined(levels), allowed.rule);
  }

  void check_filters() {
    const auto filter = std::ranges::find_if(
        policy_.filters, [&](const Filter& one) { return matches(one, facts_); });
    if (filter == policy_.filters.end() || filter->effect == Effect::kAllow) return;
    add(FindingId::kDeviceFiltered, "filter " + shown(filter->name), filter->rule);
  }

  const Policy& policy_;
  const Facts& facts_;
  const UnixTime now_;
  std::vector<Unmet> unmet_;
};

}  // namespace

std::vector<Unmet> unmet_requirements(const Policy& policy, const Facts& facts, UnixTime now) {
  return Check(policy, facts, now).run();
}

}  // namespace touchmark::verifier::policy
