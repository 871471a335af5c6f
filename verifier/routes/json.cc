#include "verifier/routes/json.h"

#include <algorithm>

#include "base/encoding.h"
#include "package/model/measurement.h"
#include "verifier/policy/explain.h"
#include "verifier/policy/facts_json.h"

namespace touchmark::verifier::routes {
namespace {

Json time_or_null(const std::optional<UnixTime>& time) {
  return time ? Json(to_unix(*time)) : Json();
}

Json text_or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json to_json(const state::PolicyVersion& version) {
  return {{"text", version.text}, {"actor", version.actor}, {"time", to_unix(version.time)}};
}

Json to_json(const state::Replay::Changes& changes) {
  return {{"appraisals", changes.appraisals}, {"devices", changes.devices}};
}

}  // namespace

Json to_json(const model::Registration& registration) {
  const package::Measurement& measured = registration.measurement;
  Json out{{"id", registration.id},
           {"line", package::one_line(measured)},
           {"form", package::to_string(measured.form)},
           {"platform", measured.platform},
           {"digest", hex_encode(package::digest(measured))},
           {"label", measured.label},
           {"expires", time_or_null(registration.expires)},
           {"created", to_unix(registration.created)},
           {"package", measured.package_name},
           {"version_name", measured.version_name},
           {"version_code", measured.version_code},
           {"sdk_version", measured.sdk_version}};
  if (!measured.team.empty()) out["team"] = measured.team;
  return out;
}

Json to_json(const model::SigningCertificate& certificate) {
  return {{"id", certificate.id},
          {"sha256", hex_encode(certificate.sha256)},
          {"subject", certificate.subject},
          {"package", certificate.package.empty() ? Json() : Json(certificate.package)},
          {"development", certificate.development},
          {"first_sha256", certificate.first ? Json(hex_encode(*certificate.first)) : Json()},
          {"expires", time_or_null(certificate.expires)},
          {"created", to_unix(certificate.created)},
          {"created_by", certificate.created_by}};
}

Json to_json(const model::ApiDomain& api) {
  Json out{{"domain", api.domain}, {"pins", api.pins}};
  for (const model::RetiringPin& one : api.retiring) {
    out["retiring"].push_back({{"pin", one.pin}, {"until", to_unix(one.until)}});
  }
  if (!api.key_set.empty()) out["keyset"] = api.key_set;
  return out;
}

Json to_json(const state::PolicyState& policy) {
  Json out = to_json(policy.current);
  out["revision"] = policy.revision;
  out["findings"] = policy::explain_findings(policy.current.policy);
  out["canary"] = nullptr;
  if (policy.canary) {
    out["canary"] = to_json(policy.canary->version);
    out["canary"]["percent"] = policy.canary->percent;
    out["canary"]["appraisals"] = policy.canary->counts->appraisals.load();
    out["canary"]["newly_failing"] = policy.canary->counts->newly_failing.load();
    out["canary"]["newly_passing"] = policy.canary->counts->newly_passing.load();
  }
  return out;
}

Json to_json(const state::ServiceSettings& settings) {
  return {{"allow_host_builds", settings.allow_host_builds},
          {"reveal_reasons", settings.reveal_reasons},
          {"channel_binding", settings.tls_terminated_by_proxy ? "proxy" : "tls"},
          {"token",
           {{"alg", "HS256"},
            {"lifetime", settings.token_lifetime.count()},
            {"header", settings.token_header},
            {"prefix", settings.token_prefix},
            {"extra_claims", settings.extra_claims}}},
          {"challenge_lifetime", settings.challenge_lifetime.count()}};
}

Json to_json(const state::PolicyRollout::Changed& changed) {
  Json warnings = Json::array();
  for (const policy::Problem& warning : changed.warnings) {
    warnings.push_back({{"line", warning.line},
                        {"column", warning.column},
                        {"key", warning.key},
                        {"message", warning.message}});
  }
  return {{"revision", changed.revision}, {"warnings", std::move(warnings)}};
}

Json to_json(const state::Replay& replay) {
  Json devices = Json::array();
  for (const state::Replay::ChangedDevice& device : replay.devices) {
    devices.push_back({{"did", device.device_id},
                       {"package", device.package_name},
                       {"platform", device.platform},
                       {"model", device.model},
                       {"time", to_unix(device.time)},
                       {"passes", device.passes},
                       {"reasons", device.reasons}});
  }
  return {{"appraisals", replay.appraisals},
          {"newly_failing", to_json(replay.newly_failing)},
          {"newly_passing", to_json(replay.newly_passing)},
          {"reasons", replay.reasons},
          {"devices", std::move(devices)},
          {"devices_left_off", replay.devices_left_off}};
}

Json to_json(const state::AppraisalJournal::Numbered& numbered) {
  const state::RecordedAppraisal& appraisal = numbered.appraisal;
  Json findings = Json::array();
  for (const protocol::Finding& finding : appraisal.findings) {
    const bool rejecting =
        std::ranges::find(appraisal.rejecting, finding.id) != appraisal.rejecting.end();
    findings.push_back({{"id", protocol::to_string(finding.id)},
                        {"detail", finding.detail},
                        {"rejected", rejecting}});
  }
  // What the policy itself asks for is not among the appraisal's own findings.
  for (const protocol::FindingId id : appraisal.rejecting) {
    if (std::ranges::find(appraisal.findings, id, &protocol::Finding::id) ==
        appraisal.findings.end()) {
      findings.push_back({{"id", protocol::to_string(id)}, {"detail", ""}, {"rejected", true}});
    }
  }
  const policy::Facts& facts = appraisal.facts;
  return {{"number", numbered.number},
          {"time", to_unix(appraisal.time)},
          {"did", facts.device_id},
          {"passed", appraisal.passed},
          {"force", policy::to_string(appraisal.force)},
          {"package", facts.package_name},
          {"platform", facts.platform},
          {"os_version", facts.os_version},
          {"manufacturer", facts.manufacturer},
          {"model", facts.model},
          {"sdk_version", facts.sdk_version},
          {"assurance", policy::to_string(facts.assurance)},
          {"findings", std::move(findings)}};
}

Json to_json(const state::Device& device) {
  const auto& forced = device.forced;
  return {{"did", device.record.device_id},
          {"last_seen", device.seen ? Json(to_unix(device.record.last_seen)) : Json()},
          {"passed", device.seen ? Json(device.record.passed) : Json()},
          {"arc", device.record.arc},
          {"package", device.record.package_name},
          {"force", policy::to_string(device.force())},
          {"forced_by", forced ? Json(forced->actor) : Json()},
          {"forced_at", forced ? Json(to_unix(forced->time)) : Json()},
          {"address", device.record.address.empty() ? Json() : Json(device.record.address)}};
}

Json to_json(const state::Devices::Forced& forced) {
  return {{"did", forced.device_id}, {"force", policy::to_string(forced.force)}};
}

Json to_json(const model::OperatorToken& entry) {
  return {{"name", entry.name},
          {"role", to_string(entry.role)},
          {"apps", entry.apps},
          {"expires", time_or_null(entry.expires)},
          {"created", to_unix(entry.created)},
          {"created_by", entry.created_by}};
}

Json to_json(const state::AuditLog& log) {
  Json entries = Json::array();
  for (const model::AuditEntry& entry : log.entries) {
    entries.push_back({{"time", to_unix(entry.time)},
                       {"actor", entry.actor},
                       {"action", entry.action},
                       {"detail", entry.detail},
                       {"hash", hex_encode(entry.hash)}});
  }
  Json out{{"entries", std::move(entries)}, {"intact", log.intact}};
  if (!log.intact) out["problem"] = log.problem;
  return out;
}

Json to_json(const Diagnosis& diagnosis) {
  Json unreadable = Json::array();
  for (const state::LoadNote& note : diagnosis.unreadable) {
    unreadable.push_back({{"what", note.what}, {"error", note.error}, {"advice", note.advice}});
  }
  Json out{{"time", to_unix(diagnosis.time)},
           {"store_problem", text_or_null(diagnosis.store_problem)},
           {"unreadable", std::move(unreadable)},
           {"public_url_problems", diagnosis.public_url_problems},
           {"hardware_roots", diagnosis.hardware_roots},
           {"process", nullptr}};
  if (diagnosis.surroundings) {
    const state::Surroundings& process = *diagnosis.surroundings;
    Json token_files = Json::array();
    for (const auto& file : process.token_files) token_files.push_back(file.string());
    out["process"] = {
        {"data", process.data.string()},
        {"data_mode", process.data_mode ? Json(*process.data_mode) : Json()},
        {"data_problem", text_or_null(process.problem)},
        {"free_bytes", process.free_bytes},
        {"total_bytes", process.total_bytes},
        {"free_files", process.free_files ? Json(*process.free_files) : Json()},
        {"master_key_apart", process.master_key_apart},
        {"token_files", std::move(token_files)},
        {"descriptor_limit", process.descriptor_limit},
        {"open_descriptors", process.open_descriptors},
        {"max_connections", process.max_connections},
        {"wanted_connections", process.wanted_connections},
    };
  }
  return out;
}

Json to_json(const Status& status) {
  Json revocation;
  if (status.revocation) {
    const state::RevocationSource::Status& list = *status.revocation;
    revocation = {{"source", list.location},
                  {"entries", list.entries},
                  {"confirmed", time_or_null(list.confirmed)},
                  {"fresh", list.fresh},
                  {"problem", list.problem ? Json(*list.problem) : Json()}};
  }
  return {{"version", status.version},
          {"account", status.account},
          {"first_start", to_unix(status.first_start)},
          {"time", to_unix(status.time)},
          {"public_urls", status.public_urls},
          {"config_version", status.config_version},
          {"registrations", status.registrations},
          {"policy_revision", status.policy_revision},
          {"assurance",
           {{"android", policy::to_string(status.assurance.android.value)},
            {"ios", policy::to_string(status.assurance.ios.value)},
            {"host", policy::to_string(status.assurance.host.value)}}},
          {"valid_token_takes", status.demand.takes},
          {"revocation", std::move(revocation)},
          {"last_backup", time_or_null(status.last_backup)},
          {"service_pins", status.service_pins},
          {"warnings", status.warnings}};
}

Json explained(const state::RecordedAppraisal& appraisal, const policy::Policy& policy,
               policy::Force force) {
  const policy::Verdict verdict =
      policy::judge(policy, appraisal.facts, appraisal.findings, appraisal.time, force);
  Json out = policy::explain(policy, verdict);
  out["time"] = to_unix(appraisal.time);
  out["facts"] = policy::to_json(appraisal.facts);
  return out;
}

}  // namespace touchmark::verifier::routes
