#include "cli/commands/evidence/summary.h"

#include <fmt/format.h>

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxDepth = 16;

std::string scalar(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

bool is_scalar(const Json& value) { return !value.is_object() && !value.is_array(); }

bool all_scalars(const Json& array) {
  for (const Json& item : array) {
    if (!is_scalar(item)) return false;
  }
  return true;
}

std::string joined(const Json& array) {
  std::string text;
  for (const Json& item : array) text += (text.empty() ? "" : ", ") + scalar(item);
  return text.empty() ? "none" : text;
}

void write_tree(const Json& json, std::size_t depth, std::vector<std::string>& lines) {
  const std::string indent(2 * depth, ' ');
  const auto write = [&](const std::string& name, const Json& value) {
    if (is_scalar(value)) {
      lines.push_back(indent + name + ": " + scalar(value));
    } else if (value.is_array() && all_scalars(value)) {
      lines.push_back(indent + name + ": " + joined(value));
    } else if (depth == kMaxDepth) {
      lines.push_back(indent + name + ": " + dump_json(value));
    } else {
      lines.push_back(indent + name + ":");
      write_tree(value, depth + 1, lines);
    }
  };
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) write(name, value);
  } else {
    std::size_t number = 0;
    for (const Json& item : json) write(std::to_string(number++), item);
  }
}

// The members of a path, null where one is missing.
const Json& at(const Json& json, std::initializer_list<const char*> path) {
  static const Json kNull;
  const Json* value = &json;
  for (const char* name : path) {
    const auto found = value->is_object() ? value->find(name) : value->end();
    if (found == value->end()) return kNull;
    value = &*found;
  }
  return *value;
}

void add(std::vector<std::string>& lines, const char* name, const Json& value) {
  if (!value.is_null()) lines.push_back(fmt::format("{}: {}", name, scalar(value)));
}

void add_key_description(const Json& description, std::vector<std::string>& lines) {
  const Json& root = at(description, {"hardwareEnforced", "rootOfTrust"});
  add(lines, "attestation version", at(description, {"attestationVersion"}));
  add(lines, "security level", at(description, {"attestationSecurityLevel"}));
  add(lines, "verified boot", at(root, {"verifiedBootState"}));
  add(lines, "bootloader locked", at(root, {"deviceLocked"}));
  add(lines, "OS version", at(description, {"hardwareEnforced", "osVersion"}));
  add(lines, "OS patch level", at(description, {"hardwareEnforced", "osPatchLevel"}));
  const Json& packages =
      at(description, {"softwareEnforced", "attestationApplicationId", "packageInfos"});
  for (const Json& package : packages) add(lines, "package", at(package, {"packageName"}));
}

}  // namespace

std::vector<std::string> summarize_evidence(const Json& result) {
  std::vector<std::string> lines;
  add(lines, "provisioning", at(result, {"provisioning"}));
  add_key_description(at(result, {"keyDescription"}), lines);
  add(lines, "environment", at(result, {"environment"}));
  add(lines, "key id", at(result, {"keyId"}));
  add(lines, "counter", at(result, {"counter"}));
  add(lines, "validation category", at(result, {"authData", "validationCategory", "name"}));
  add(lines, "app id", at(result, {"appId"}));
  add(lines, "risk metric", at(result, {"riskMetric"}));
  const Json& payload = at(result, {"tokenPayload"});
  add(lines, "package", at(payload, {"requestDetails", "requestPackageName"}));
  add(lines, "app", at(payload, {"appIntegrity", "appRecognitionVerdict"}));
  const Json& device = at(payload, {"deviceIntegrity", "deviceRecognitionVerdict"});
  if (device.is_array()) lines.push_back("device: " + joined(device));
  add(lines, "license", at(payload, {"accountDetails", "appLicensingVerdict"}));
  const Json& appraisal = at(result, {"appraisal"});
  if (appraisal.is_object()) {
    lines.push_back(at(appraisal, {"passed"}) == Json(true) ? "policy: passed" : "policy: failed");
  }
  for (const Json& finding : at(appraisal, {"findings"})) {
    lines.push_back(
        fmt::format("  {}: {}: {} (by {}; would pass: {})", scalar(at(finding, {"action"})),
                    scalar(at(finding, {"id"})), scalar(at(finding, {"detail"})),
                    scalar(at(finding, {"rule", "key"})), scalar(at(finding, {"would_pass"}))));
  }
  if (const Json& ear = at(result, {"ear"}); ear.is_object()) {
    lines.push_back("ear: " + dump_json(ear));
  }
  for (const Json& warning : at(result, {"warnings"})) add(lines, "warning", warning);
  return lines;
}

std::vector<std::string> evidence_tree(const Json& json) {
  std::vector<std::string> lines;
  if (is_scalar(json)) {
    lines.push_back(scalar(json));
  } else {
    write_tree(json, 0, lines);
  }
  return lines;
}

}  // namespace touchmark::cli::commands
