#include "cli/commands/doctor/check.h"

#include <array>

#include "cli/io/error.h"

namespace touchmark::cli::commands::doctor {

std::string_view to_string(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kSkip:
      return "skip";
    case Health::kWarn:
      return "warn";
    case Health::kFail:
      return "fail";
  }
  return "";
}

bool was_refused(const Error& error) {
  return error.is(io::CliError::kUnauthorized) || error.is(io::CliError::kForbidden);
}

std::string advice_for(const Error& error) {
  const std::string_view hint = io::classify(error).hint;
  return hint.empty() ? "see whether the service's log says why" : std::string(hint);
}

Finding untold(const Facts& facts, const Error& why) {
  if (!facts.status || was_refused(why) || why.is(io::CliError::kNotOffered)) {
    return skip(why.message());
  }
  return broken("", why.message(), advice_for(why));
}

std::span<const Check> checks() {
  // clang-format off
  static constexpr auto kChecks = std::to_array<Check>({
      {"service.reach",         "it answers, and from which address",                     judge_reach},
      {"service.operator",      "your token counts, and may ask all this",                judge_operator},
      {"service.clock",         "its clock and this machine's",                           judge_clock},
      {"service.version",       "its version and this command's",                         judge_version},
      {"service.certificate",   "when its certificates end",                              judge_certificate},
      {"service.pins",          "the keys that it shows, and those that apps pin",        judge_pins},
      {"service.public-url",    "the URLs that apps are told",                            judge_public_url},
      {"policy.assurance",      "whether software evidence passes",                       judge_assurance},
      {"policy.findings",       "findings that do not reject",                            judge_findings},
      {"policy.host-builds",    "whether the lab's Linux build passes",                   judge_host_builds},
      {"policy.development",    "whether development builds and testers' verdicts pass",  judge_development},
      {"policy.candidate",      "what a candidate on trial lets pass",                    judge_candidate},
      {"policy.hardware-roots", "roots beside the platforms' own",                        judge_hardware_roots},
      {"policy.reasons",        "whether refused apps are told why",                      judge_reasons},
      {"policy.revocation",     "the list of revoked keys, and its age",                  judge_revocation},
      {"data.backup",           "when the last backup was made",                          judge_backup},
      {"data.master-key",       "that the master key is apart from the data",             judge_master_key},
      {"data.token-file",       "files with the first operators' tokens",                 judge_token_file},
      {"data.disk",             "room on the disk",                                       judge_disk},
      {"data.folder",           "that the folder is private, and can be written",         judge_folder},
      {"data.store",            "that the database is whole, and can be written",         judge_store},
      {"data.audit",            "that the audit log is whole",                            judge_audit},
      {"process.descriptors",   "the limit of open files",                                judge_descriptors},
      {"api.answer",            "that each API domain answers",                           judge_api_answers},
      {"api.pins",              "the key that each API shows, and those that apps pin",   judge_api_pins},
      {"api.certificate",       "when the APIs' certificates end",                        judge_api_certificates},
      {"app.registered",        "that an app is registered",                              judge_apps},
      {"app.sdk",               "the SDK in the registered apps",                         judge_sdk},
      {"app.end",               "registrations that ended, or soon do",                   judge_app_ends},
      {"signer.end",            "signing certificates that ended, or soon do",            judge_signer_ends},
      {"operator.end",          "operators' tokens that ended, or soon do",               judge_operator_ends},
  });
  // clang-format on
  return kChecks;
}

}  // namespace touchmark::cli::commands::doctor
