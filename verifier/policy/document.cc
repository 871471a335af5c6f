#include "verifier/policy/document.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "verifier/policy/property.h"
#include "verifier/policy/section.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMaxFilters = 1000;
constexpr std::size_t kBootKeyBytes = 32;

constexpr std::string_view kActions[] = {"reject", "annotate", "ignore"};
constexpr std::string_view kAssurances[] = {"software", "platform", "tee", "secure-chip"};
constexpr std::string_view kEffects[] = {"refuse", "allow"};
constexpr std::string_view kEnvironments[] = {"production", "development"};
// Google's words: https://developer.android.com/google/play/integrity/verdicts
constexpr std::string_view kAppRecognition[] = {"PLAY_RECOGNIZED", "UNRECOGNIZED_VERSION",
                                                "UNEVALUATED"};
constexpr std::string_view kAppLicensing[] = {"LICENSED", "UNLICENSED", "UNEVALUATED"};
constexpr std::string_view kDeviceLabels[] = {"MEETS_BASIC_INTEGRITY", "MEETS_DEVICE_INTEGRITY",
                                              "MEETS_STRONG_INTEGRITY", "MEETS_VIRTUAL_INTEGRITY"};
constexpr std::string_view kActivity[] = {"LEVEL_1", "LEVEL_2", "LEVEL_3", "LEVEL_4",
                                          "UNEVALUATED"};
constexpr std::string_view kRisks[] = {
    "KNOWN_INSTALLED",   "KNOWN_CAPTURING",   "KNOWN_OVERLAYS",   "KNOWN_CONTROLLING",
    "UNKNOWN_INSTALLED", "UNKNOWN_CAPTURING", "UNKNOWN_OVERLAYS", "UNKNOWN_CONTROLLING"};
constexpr std::string_view kPlayProtect[] = {"NO_ISSUES",   "NO_DATA",   "POSSIBLE_RISK",
                                             "MEDIUM_RISK", "HIGH_RISK", "UNEVALUATED"};

constexpr const char* kVersionText = "a version such as 12 or \"8.1\"";
constexpr const char* kPatchText =
    "a patch level such as \"2024-06\" or \"2024-06-05\", or an age such as \"540d\"";

// The value of the choice at the same place as its word.
template <class Enum>
Enum enum_of(Choices choices, const std::string& word) {
  return static_cast<Enum>(std::ranges::find(choices, word) - choices.begin());
}

// --- [findings] ----------------------------------------------------------------------------------

// "*", "hook.*" and "hook.framework"; the more exact one counts, wherever it stands.
struct ActionRule {
  std::string pattern;
  Action action;
  Rule rule;
  // 0 for all findings, 1 for a group, 2 for one.
  int exactness() const { return pattern == "*" ? 0 : pattern.ends_with(".*") ? 1 : 2; }
  bool covers(std::string_view id) const {
    return exactness() == 2
               ? id == pattern
               : id.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  }
  // Many users' phones show what is only notable: nobody refuses them with a line about everything.
  bool holds_for(const protocol::FindingInfo& info) const {
    const bool sweeps = exactness() < 2 && action == Action::kReject;
    return covers(info.id) && !(sweeps && info.level == protocol::Level::kAnnotate);
  }
};

std::vector<std::string> finding_patterns() {
  std::vector<std::string> out{"*"};
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    const std::string group = std::string(info.id.substr(0, info.id.find('.'))) + ".*";
    if (std::ranges::find(out, group) == out.end()) out.push_back(group);
    out.emplace_back(info.id);
  }
  return out;
}

class FindingsReader {
 public:
  FindingsReader(Report& report, Policy& policy) : report_(report), policy_(policy) {}

  void read(const toml::table& table) {
    walk(table, "");
    std::ranges::stable_sort(rules_, {}, &ActionRule::exactness);
    for (const protocol::FindingInfo& info : protocol::all_findings()) {
      // An operator's word about one device is not undone by a rule about all.
      if (info.number == FindingId::kDeviceForcedFail) continue;
      for (const ActionRule& rule : rules_) {
        if (rule.holds_for(info)) policy_.set_action(info.number, rule.action, rule.rule);
      }
    }
  }

 private:
  // An id may be one quoted key ("hook.framework") or a dotted one (hook.framework).
  void walk(const toml::table& table, const std::string& prefix) {
    Section section(table, "findings", report_);
    for (const auto& [key, node] : table) {
      const std::string id = prefix + std::string(key.str());
      if (const toml::table* inner = node.as_table()) {
        walk(*inner, id + ".");
        continue;
      }
      const Rule rule{"findings." + key_text(id), key.source().begin.line};
      if (!is_known(section, id, key.source(), rule)) continue;
      take(section, id, node, rule);
    }
  }

  bool is_known(Section& section, const std::string& id, const toml::source_region& where,
                const Rule& rule) {
    static const std::vector<std::string> kPatterns = finding_patterns();
    if (id == protocol::to_string(FindingId::kDeviceForcedFail)) {
      report_.problem(where, rule.key,
                      "a forced fail always rejects; `touchmark device clear` ends it");
      return false;
    }
    if (std::ranges::find(kPatterns, id) != kPatterns.end()) return true;
    section.unknown(where, rule.key, "is no finding and no group of findings", id, kPatterns);
    return false;
  }

  void take(Section& section, const std::string& id, const toml::node& node, const Rule& rule) {
    const auto* word = node.as_string();
    if (word == nullptr || std::ranges::find(kActions, word->get()) == std::end(kActions)) {
      section.unknown(node.source(), rule.key, "is not reject, annotate or ignore",
                      word == nullptr ? std::string_view() : std::string_view(word->get()),
                      {std::begin(kActions), std::end(kActions)});
      return;
    }
    const auto [before, is_new] = lines_.emplace(id, rule.line);
    if (!is_new) {
      report_.problem(node.source(), rule.key,
                      "is said twice; first in line " + std::to_string(before->second));
      return;
    }
    rules_.push_back({id, enum_of<Action>(kActions, word->get()), rule});
  }

  Report& report_;
  Policy& policy_;
  std::map<std::string, std::uint32_t> lines_;
  std::vector<ActionRule> rules_;
};

// --- The other sections --------------------------------------------------------------------------

void read_assurance(Section section, AssuranceRules& out) {
  const auto read = [&](std::string_view name, Ruled<Assurance>& level) {
    const Ruled<std::string> word = section.word(name, kAssurances);
    if (!word.value.empty()) level = {enum_of<Assurance>(kAssurances, word.value), word.rule};
  };
  read("android", out.android);
  read("ios", out.ios);
  read("host", out.host);
  section.finish();
}

void read_app(Section section, AppRules& out) {
  section.words("installers", {}, out.installers);
  section.boolean("development_keys", out.development_keys);
  section.finish();
}

void read_boot_key(Section& keys, const std::string& name, const toml::node& node, const Rule& rule,
                   std::vector<BootKey>& out) {
  const auto* text = node.as_string();
  auto bytes = text == nullptr ? Result<Bytes>(Bytes()) : hex_decode(text->get());
  if (!bytes || bytes->size() != kBootKeyBytes) {
    keys.report().problem(node.source(), rule.key, "is not a boot key: 64 hexadecimal digits");
    return;
  }
  if (std::ranges::all_of(*bytes, [](std::byte b) { return b == std::byte{0}; })) {
    keys.report().problem(node.source(), rule.key,
                          "is the key that phones with an unverified system attest");
    return;
  }
  const auto same = std::ranges::find(out, *bytes, &BootKey::key);
  if (same != out.end()) {
    keys.report().problem(node.source(), rule.key, "is the same key as " + to_string(same->rule));
    return;
  }
  out.push_back({name, std::move(*bytes), rule});
}

void read_boot(Section section, std::vector<BootKey>& out) {
  if (const toml::table* table = section.table("keys")) {
    Section keys(*table, "boot.keys", section.report());
    for (const auto& [key, node] : *table) {
      const Rule rule{keys.path_of(key.str()), key.source().begin.line};
      read_boot_key(keys, std::string(key.str()), node, rule, out);
    }
  }
  section.finish();
}

void read_android(Section section, AndroidRules& out) {
  section.value("min_os_version", out.min_os_version, parse_version, kVersionText);
  section.value("min_attestation_version", out.min_attestation_version, parse_version,
                "a version such as 3 or 200");
  section.value("min_keymint_version", out.min_keymint_version, parse_version,
                "a version such as 4 or 200");
  if (const toml::table* table = section.table("min_patch_level")) {
    Section levels(*table, "android.min_patch_level", section.report());
    levels.value("os", out.os_patch_level, parse_patch_limit, kPatchText);
    levels.value("vendor", out.vendor_patch_level, parse_patch_limit, kPatchText);
    levels.value("boot", out.boot_patch_level, parse_patch_limit, kPatchText);
    levels.finish();
  }
  section.finish();
}

void read_ios(Section section, IosRules& out) {
  section.value("min_os_version", out.min_os_version, parse_version, kVersionText);
  section.finish();
}

void read_app_attest(Section section, AppAttestRules& out) {
  section.words("environments", kEnvironments, out.environments);
  section.numbers("validation_categories", out.validation_categories);
  section.finish();
}

void read_play(Section section, PlayRules& out) {
  section.boolean("required", out.required);
  section.words("app_recognition", kAppRecognition, out.app_recognition);
  section.words("app_licensing", kAppLicensing, out.app_licensing);
  section.words("device_labels", kDeviceLabels, out.device_labels);
  section.words("device_activity", kActivity, out.device_activity);
  section.words("refused_apps", kRisks, out.refused_apps);
  section.words("play_protect", kPlayProtect, out.play_protect);
  section.boolean("test_responses", out.test_responses);
  section.value("min_sdk_version", out.min_sdk_version, parse_version, "an API level such as 29");
  section.finish();
}

// --- [[filters]] ---------------------------------------------------------------------------------

void read_condition(Section& section, const Property& property, Filter& out) {
  const auto node = section.raw().find(property.name);
  // An ordered property may be a bare number; everything else is text.
  if (property.ordered && node != section.raw().end() && node->second.is_integer()) {
    section.parsed(property.name, parse_comparisons, "a whole number from 0",
                   [&](std::vector<Comparison> range, const Rule&) {
                     out.conditions.push_back({std::string(property.name), {}, {range}});
                   });
    return;
  }
  Optional<Words> words;
  section.words(property.name, {}, words);
  if (!words) return;
  Condition condition{std::string(property.name), {}, {}};
  for (std::string& word : words->value) {
    if (!property.ordered) {
      condition.patterns.push_back(std::move(word));
      continue;
    }
    auto range = parse_comparisons(word);
    if (!range) {
      section.report().problem(
          node->second.source(), words->rule.key,
          key_text(word) + " is not a comparison such as \"<13\" or \">=12.1, <14\"");
      return;
    }
    condition.ranges.push_back(std::move(*range));
  }
  out.conditions.push_back(std::move(condition));
}

// Apple's count of a phone's App Attest keys is in refreshed receipts only, which the service never
// fetched: a filter with it fitted no device.
constexpr std::string_view kRiskMetric = "risk_metric";

void read_removed(Section& section, DocumentAge age, Filter& out) {
  const auto found = section.raw().find(kRiskMetric);
  if (age != DocumentAge::kStored || found == section.raw().end()) return;
  static_cast<void>(section.node(kRiskMetric));
  section.report().warning(
      {section.path_of(kRiskMetric), found->first.source().begin.line},
      "is no property any more: no evidence states it, and this filter fits no device");
  out.conditions.push_back({std::string(kRiskMetric), {}, {}});
}

void read_filters(Section& root, DocumentAge age, std::vector<Filter>& out) {
  const auto tables = root.tables("filters");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const toml::table& table = *tables[i];
    if (i == kMaxFilters) {
      root.report().problem(table.source(), "filters",
                            "more than " + std::to_string(kMaxFilters) + " filters");
      return;
    }
    Section section(table, "filters[" + std::to_string(i) + "]", root.report());
    Filter filter;
    filter.rule = {"filters[" + std::to_string(i) + "]", table.source().begin.line};
    filter.name = section.text("name").value;
    if (filter.name.empty()) filter.name = filter.rule.key;
    const Ruled<std::string> effect = section.word("effect", kEffects);
    if (!table.contains("effect")) {
      root.report().problem(table.source(), section.path_of("effect"),
                            "is missing: \"refuse\" or \"allow\"");
    }
    filter.effect = enum_of<Effect>(kEffects, effect.value.empty() ? "refuse" : effect.value);
    for (const Property& property : all_properties()) read_condition(section, property, filter);
    read_removed(section, age, filter);
    section.finish();
    const bool says_nothing = std::ranges::all_of(
        table, [](const auto& one) { return one.first == "name" || one.first == "effect"; });
    if (says_nothing) {
      root.report().problem(table.source(), filter.rule.key,
                            "has no condition; for every device say model = \"*\"");
    }
    out.push_back(std::move(filter));
  }
}

// --- The whole -----------------------------------------------------------------------------------

void read_version(Section& root) {
  const toml::node* version = root.node("version");
  if (version == nullptr) {
    root.report().problem({{1, 1}, {1, 1}, nullptr}, "version", "is missing: version = 1");
  } else if (version->value<std::int64_t>() != kVersion) {
    root.report().problem(version->source(), "version",
                          "is not 1, the only version that this Touchmark knows");
  }
}

// Valid, but hardly meant.
void warn(const Policy& policy, Report& report) {
  constexpr FindingId kFoundations[] = {FindingId::kAppNotRegistered, FindingId::kAppRangeProof,
                                        FindingId::kChallengeInvalid, FindingId::kChallengeReplayed,
                                        FindingId::kNetworkMitm};
  for (const FindingId id : kFoundations) {
    const Ruled<Action>& action = policy.action(id);
    if (action.value == Action::kReject) continue;
    report.warning(action.rule, "without " + std::string(protocol::to_string(id)) +
                                    " anybody can get valid tokens");
  }
  const AssuranceRules& levels = policy.assurance;
  for (const Ruled<Assurance>* one : {&levels.android, &levels.ios}) {
    const Ruled<Assurance>& other = one == &levels.android ? levels.ios : levels.android;
    if (one->value > Assurance::kSoftware && other.value == Assurance::kSoftware) {
      report.warning(one->rule,
                     other.rule.key +
                         " is software: an attacker without hardware evidence can claim to "
                         "run there, if a release for that platform is registered");
    }
  }
}

void read_document(const toml::table& table, DocumentAge age, Report& report, Policy& out) {
  Section root(table, "", report);
  read_version(root);
  const auto section = [&](const char* name, auto read, auto& into) {
    if (const toml::table* found = root.table(name)) read(Section(*found, name, report), into);
  };
  if (const toml::table* findings = root.table("findings")) {
    FindingsReader(report, out).read(*findings);
  }
  section("assurance", read_assurance, out.assurance);
  section("app", read_app, out.app);
  section("boot", read_boot, out.boot_keys);
  section("android", read_android, out.android);
  section("ios", read_ios, out.ios);
  section("app_attest", read_app_attest, out.app_attest);
  section("play_integrity", read_play, out.play);
  read_filters(root, age, out.filters);
  root.finish();
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string out = std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": ";
  if (!problem.key.empty()) out += problem.key + ": ";
  out += problem.message;
  if (!problem.suggestion.empty()) out += "; did you mean " + problem.suggestion + "?";
  return out;
}

std::string_view error_id(DocumentError error) {
  using enum DocumentError;
  static constexpr auto kIds = error_table<DocumentError>({
      {kInvalid, "policy.invalid"},
  });
  return kIds[error];
}

Document parse_document(std::string_view text, DocumentAge age) {
  Document out;
  if (text.size() > kMaxDocumentBytes) {
    out.problems.push_back({1, 1, "", "a policy has at most 256 KiB", ""});
    return out;
  }
  const auto parsed = toml_text::parse(text);
  if (!parsed) {
    const toml_text::Fault& fault = parsed.error();
    out.problems.push_back({fault.line, fault.column, "", fault.message, ""});
    return out;
  }
  Report report;
  Policy policy;
  read_document(*parsed, age, report, policy);
  warn(policy, report);
  report.deliver(out);
  if (out.valid()) out.policy = std::move(policy);
  return out;
}

Result<Policy> parse_policy(std::string_view text, DocumentAge age) {
  Document document = parse_document(text, age);
  if (document.valid()) return std::move(document.policy);
  std::string message;
  for (const Problem& problem : document.problems) {
    message += (message.empty() ? "" : "\n") + to_string(problem);
  }
  return fail(DocumentError::kInvalid, std::move(message));
}

}  // namespace touchmark::verifier::policy
