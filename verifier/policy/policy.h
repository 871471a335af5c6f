// The appraisal policy: what a device and an app must be, and what each finding does to a verdict.
// Policy is made from a document (document.h); judge() is a pure function of it.
//
// A requirement that the evidence does not speak of counts as not met, so that leaving evidence out
// gains nothing. The exceptions are rules about one kind of evidence (boot, app_attest,
// play_integrity): they hold where that evidence is, and `assurance` says whether it must be.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "protocol/findings.h"
#include "verifier/policy/facts.h"
#include "verifier/policy/version.h"

namespace touchmark::verifier::policy {

enum class Action {
  kReject,    // the token is a decoy
  kAnnotate,  // the token is valid; the finding stands in the log and, opted in, in claim `anno`
  kIgnore,    // as if it had not been found
};
std::string_view to_string(Action action);
std::string_view to_string(Assurance assurance);
std::string_view to_string(BootState state);

// Where in the document a rule stands.
struct Rule {
  std::string key;         // "android.min_patch_level.os"
  std::uint32_t line = 0;  // 0: the document does not say it; the default holds
  bool operator==(const Rule&) const = default;
};
// "android.min_patch_level.os (line 12)", "findings (default)".
std::string to_string(const Rule& rule);

template <class T>
struct Ruled {
  T value{};
  Rule rule{};
};
template <class T>
using Optional = std::optional<Ruled<T>>;  // nullopt: nothing is required
using Words = std::vector<std::string>;

struct AssuranceRules {
  Ruled<Assurance> android{Assurance::kSoftware, {"assurance.android"}};
  Ruled<Assurance> ios{Assurance::kSoftware, {"assurance.ios"}};
  Ruled<Assurance> host{Assurance::kSoftware, {"assurance.host"}};
};

struct AppRules {
  Optional<Words> installers{};  // globs; "" is an app that no installer claims
  Ruled<bool> development_keys{false, {"app.development_keys"}};
};

// A system that is not the phone maker's passes when it is signed with one of these.
struct BootKey {
  std::string name;  // "GrapheneOS Pixel 8"
  Bytes key;         // 32 bytes
  Rule rule;
};

struct AndroidRules {
  Optional<Version> min_os_version{};
  Optional<Version> min_attestation_version{};
  Optional<Version> min_keymint_version{};
  Optional<PatchLimit> os_patch_level{};
  Optional<PatchLimit> vendor_patch_level{};
  Optional<PatchLimit> boot_patch_level{};
};

struct IosRules {
  Optional<Version> min_os_version{};
};

struct AppAttestRules {
  Ruled<Words> environments{{"production"}, {"app_attest.environments"}};
  // Of iOS 27 and later; an older system cannot state one, and then this asks for nothing.
  Optional<std::vector<std::uint32_t>> validation_categories{};
};

struct PlayRules {
  Ruled<bool> required{false, {"play_integrity.required"}};
  Ruled<Words> app_recognition{{"PLAY_RECOGNIZED"}, {"play_integrity.app_recognition"}};
  Ruled<Words> app_licensing{{"LICENSED"}, {"play_integrity.app_licensing"}};
  Ruled<Words> device_labels{{"MEETS_DEVICE_INTEGRITY"}, {"play_integrity.device_labels"}};
  Optional<Words> device_activity{};  // allowed
  Optional<Words> refused_apps{};     // appAccessRiskVerdict values that are refused
  Optional<Words> play_protect{};     // allowed
  Optional<Version> min_sdk_version{};
  // Verdicts that somebody chose in the Play Console for a tester count like Google's own.
  Ruled<bool> test_responses{false, {"play_integrity.test_responses"}};
};

// One property of a device compared with any of several patterns.
struct Condition {
  std::string property;                           // "model"
  std::vector<std::string> patterns;              // of a text property
  std::vector<std::vector<Comparison>> ranges{};  // of an ordered property
};
enum class Effect { kRefuse, kAllow };
// The first filter whose conditions all hold decides about a device.
struct Filter {
  std::string name;
  Effect effect = Effect::kRefuse;
  std::vector<Condition> conditions;
  Rule rule;
};

// What a document means that says nothing: every finding rejects that is not only notable, hardware
// evidence is not required, and where it is given it must be of a locked, verified device and of
// production. What a new service starts with asks for more (presets.h).
class Policy {
 public:
  Policy();

  const Ruled<Action>& action(protocol::FindingId finding) const {
    return actions_[static_cast<std::size_t>(finding)];
  }
  void set_action(protocol::FindingId finding, Action action, Rule rule);

  AssuranceRules assurance;
  AppRules app;
  std::vector<BootKey> boot_keys;
  AndroidRules android;
  IosRules ios;
  AppAttestRules app_attest;
  PlayRules play;
  std::vector<Filter> filters;

 private:
  std::array<Ruled<Action>, 256> actions_;
};

// What an operator has said of one device.
enum class Force { kNone, kPass, kFail };
std::string_view to_string(Force force);

struct Decided {
  protocol::Finding finding;
  Action action = Action::kReject;
  Rule decided_by{};                  // the rule that gave the action
  std::optional<Rule> requirement{};  // the rule that was not met, when the policy found it
};

struct Verdict {
  bool passed = false;
  Force force = Force::kNone;
  std::vector<Decided> findings;  // by number, the ignored ones too

  std::vector<protocol::Finding> with(Action action) const;
  std::vector<protocol::FindingId> ids_with(Action action) const;
  // What an attestation response code holds: every finding but the ignored ones.
  std::vector<protocol::Finding> notable() const;
};

// `findings`: what appraisal and attester found; the policy adds what its own rules find in the
// facts. A forced pass turns rejections into annotations, except those which say that the evidence
// is not this device's, or not fresh: otherwise a recording of it would always pass.
Verdict judge(const Policy& policy, const Facts& facts,
              const std::vector<protocol::Finding>& findings, UnixTime now,
              Force force = Force::kNone);

}  // namespace touchmark::verifier::policy
