#include "cli/package_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/error.h"
#include "cli/text.h"
#include "package/inspection.h"
#include "package/package.h"

namespace touchmark::cli {
namespace {

using package::Measurement;
using package::SignatureReport;

struct PackageOptions {
  std::vector<std::string> files;
  std::uint32_t min_sdk = 0;
  std::uint32_t max_sdk = 0;
  std::string v4_file;
};

Result<std::unique_ptr<package::Source>> open_package(const std::string& path) {
  auto source = package::open_file(path);
  if (!source) return fail(CliError::kUnreadableFile, "cannot read " + source.error().message());
  return source;
}

// A reader's refusal names no file; what the user sees does.
tl::unexpected<Error> refused(const std::string& path, const Error& error) {
  return tl::unexpected(error.reworded(fmt::format("{}: {}", path, error.message())));
}

bool is_file_trouble(const Error& error) { return classify(error).exit_code == kExitUsage; }

Json capability_names(std::uint32_t flags) {
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 5> kNames{{
      {package::kCapabilityInstalledData, "installed-data"},
      {package::kCapabilitySharedUserId, "shared-user-id"},
      {package::kCapabilityPermission, "permission"},
      {package::kCapabilityRollback, "rollback"},
      {package::kCapabilityAuthenticator, "authenticator"},
  }};
  Json names = Json::array();
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) != 0) names.push_back(name);
  }
  return names;
}

// The members that verify and show share; all there whether the package verifies or not.
Json signature_json(const Result<SignatureReport>& report) {
  Json json{{"verified", report.has_value()},
            {"schemes", Json::array()},
            {"signers", Json::array()},
            {"lineage", Json::array()},
            {"stamp", nullptr},
            {"reason", nullptr},
            {"detail", nullptr},
            {"warnings", Json::array()}};
  if (!report) {
    json["reason"] = report.error().id();
    json["detail"] = report.error().message();
    return json;
  }
  json["schemes"] = report->schemes;
  json["warnings"] = report->warnings;
  for (const package::SignerInfo& signer : report->signers) {
    json["signers"].push_back(
        {{"certificate_sha256", hex_encode(signer.certificate_sha256)}, {"scheme", signer.scheme}});
  }
  for (const package::LineageCertificate& entry : report->lineage) {
    json["lineage"].push_back({{"certificate_sha256", hex_encode(sha256(entry.certificate))},
                               {"capabilities", capability_names(entry.capabilities)}});
  }
  if (report->stamp) {
    json["stamp"] = {{"certificate_sha256", hex_encode(report->stamp->certificate_sha256)},
                     {"time", report->stamp->time}};
  }
  if (report->stamp) {
    json["stamp"] = {{"certificate_sha256", hex_encode(report->stamp->certificate_sha256)},
                     {"time", report->stamp->time}};
  }
  return json;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void print_report(const std::string& path, const SignatureReport& report, Session& session) {
  session.console().print(one_line(fmt::format("{}: verified ({})", path, joined(report.schemes))));
  for (const package::SignerInfo& signer : report.signers) {
    session.console().print("  signer " + hex_encode(signer.certificate_sha256));
  }
  for (const std::string& warning : report.warnings) {
    session.console().print("  warning " + one_line(warning));
  }
}

Result<SignatureReport> report_on(const std::string& path, const PackageOptions& options) {
  const auto source = package::open_file(path);
  if (!source) return pass(source);
  package::SignatureOptions levels{options.min_sdk, options.max_sdk, nullptr};
  if (options.v4_file.empty()) return package::verify(**source, levels);
  const auto v4_source = package::open_file(options.v4_file);
  if (!v4_source) return pass(v4_source);
  levels.v4_signature = v4_source->get();
  return package::verify(**source, levels);
}

ExitCode verify_one(const std::string& path, const PackageOptions& options, Session& session) {
  const auto report = report_on(path, options);
  if (session.json()) {
    Json json = signature_json(report);
    json["file"] = path;
    print_json(session, json);
  } else if (report) {
    print_report(path, *report, session);
  } else {
    session.console().print(one_line(
        fmt::format("{}: {}: {}", path, is_file_trouble(report.error()) ? "unreadable" : "refused",
                    report.error().text())));
  }
  if (report) return kExitOk;
  return is_file_trouble(report.error()) ? kExitUsage : kExitNo;
}

// Says something of every file, and exits with the gravest of their statuses.
Outcome verify(const PackageOptions& options, Session& session) {
  if (options.min_sdk != 0 && options.max_sdk != 0 && options.min_sdk > options.max_sdk) {
    return fail(CliError::kUsage, "--min-sdk is above --max-sdk");
  }
  if (!options.v4_file.empty() && options.files.size() != 1) {
    return fail(CliError::kUsage, "--v4-signature-file goes with one package");
  }
  ExitCode worst = kExitOk;
  for (const std::string& path : options.files) {
    worst = std::max(worst, verify_one(path, options, session));
  }
  return worst;
}

Outcome measure(const std::string& path, Session& session) {
  const auto source = open_package(path);
  if (!source) return pass(source);
  const auto measurement = package::measure(**source);
  if (!measurement) return refused(path, measurement.error());
  if (!session.json()) {
    session.console().print(one_line(package::one_line(*measurement)));
    return kExitOk;
  }
  Json json = package::to_json(*measurement);
  json["digest"] = base64_encode(package::digest(*measurement));
  json["line"] = package::one_line(*measurement);
  return print_json(session, json);
}

Result<package::Inspection> inspect(const std::string& path) {
  const auto source = open_package(path);
  if (!source) return pass(source);
  auto inspection = package::inspect(**source);
  if (!inspection) return refused(path, inspection.error());
  return inspection;
}

void print_facts(const package::Inspection& inspection, Session& session) {
  const Measurement& facts = inspection.measurement;
  std::vector<std::vector<std::string>> rows{
      {"package", facts.package_name},
      {"label", facts.label},
      {"version", fmt::format("{} [{}]", facts.version_name, facts.version_code)},
      {"API levels", fmt::format("{} and up, targets {}", facts.min_sdk, facts.target_sdk)},
      {"Touchmark SDK", facts.sdk_version.empty() ? "none" : facts.sdk_version}};
  if (inspection.signatures) {
    rows.push_back({"signatures", "verified: " + joined(inspection.signatures->schemes)});
    for (const package::SignerInfo& signer : inspection.signatures->signers) {
      rows.push_back({"signer", hex_encode(signer.certificate_sha256)});
    }
    for (const package::LineageCertificate& entry : inspection.signatures->lineage) {
      rows.push_back({"lineage", hex_encode(sha256(entry.certificate))});
    }
    for (const std::string& warning : inspection.signatures->warnings) {
      rows.push_back({"warning", warning});
    }
    rows.push_back({"measurement", package::one_line(facts)});
  } else {
    rows.push_back({"signatures", "refused: " + inspection.signatures.error().text()});
  }
  for (auto& row : rows) row[1] = one_line(row[1]);
  session.console().print(table(rows));
}

Outcome show(const std::string& path, Session& session) {
  const auto inspection = inspect(path);
  if (!inspection) return pass(inspection);
  const ExitCode exit_code = inspection->signatures ? kExitOk : kExitNo;
  if (session.json()) {
    Json json = signature_json(inspection->signatures);
    json["file"] = path;
    json["app"] = package::to_json(inspection->measurement);
    print_json(session, json);
    return exit_code;
  }
  print_facts(*inspection, session);
  std::vector<std::vector<std::string>> rows{{"SHA-256", "SIZE", "KIND", "PART"}};
  for (const package::Part& part : inspection->measurement.parts) {
    rows.push_back({hex_encode(part.sha256), human_size(part.size),
                    std::string(package::to_string(part.kind)), one_line(part.name)});
  }
  session.console().print("\n" + table(rows));
  return exit_code;
}

const char* change_of(const package::Difference& difference) {
  if (difference.before.empty()) return "added";
  return difference.after.empty() ? "removed" : "changed";
}

Json difference_json(const package::Difference& difference) {
  Json json{{"kind", package::to_string(difference.kind)},
            {"change", change_of(difference)},
            {"name", difference.name},
            {"before", difference.before},
            {"after", difference.after}};
  if (difference.kind == package::DifferenceKind::kPart) {
    json["size_before"] = difference.size_before;
    json["size_after"] = difference.size_after;
  }
  return json;
}

std::string difference_detail(const package::Difference& difference) {
  if (difference.kind == package::DifferenceKind::kSigner) return "";
  const bool is_part = difference.kind == package::DifferenceKind::kPart;
  const std::string before = is_part ? human_size(difference.size_before) : difference.before;
  std::string after = is_part ? human_size(difference.size_after) : difference.after;
  if (difference.before.empty()) return after;
  return difference.after.empty() ? before : before + " -> " + after;
}

Outcome diff(const PackageOptions& options, Session& session) {
  const auto before = inspect(options.files.at(0));
  if (!before) return pass(before);
  const auto after = inspect(options.files.at(1));
  if (!after) return pass(after);
  const auto found = package::differences(before->measurement, after->measurement);
  const bool same = found.empty() && before->signatures && after->signatures;
  if (session.json()) {
    Json json{{"same", same}, {"differences", Json::array()}, {"refused", Json::object()}};
    for (const auto& difference : found) json["differences"].push_back(difference_json(difference));
    if (!before->signatures) json["refused"]["before"] = before->signatures.error().id();
    if (!after->signatures) json["refused"]["after"] = after->signatures.error().id();
    print_json(session, json);
    return same ? kExitOk : kExitNo;
  }
  for (const auto* side : {&*before, &*after}) {
    if (side->signatures) continue;
    session.console().note(
        one_line(fmt::format("{} is refused: {}", options.files.at(side == &*before ? 0 : 1),
                             side->signatures.error().text())));
  }
  if (found.empty()) {
    session.console().print("no part, signer or fact differs");
    return same ? kExitOk : kExitNo;
  }
  std::vector<std::vector<std::string>> rows{{"WHAT", "CHANGE", "NAME", "DETAIL"}};
  for (const auto& difference : found) {
    rows.push_back({std::string(package::to_string(difference.kind)), change_of(difference),
                    one_line(difference.name), one_line(difference_detail(difference))});
  }
  session.console().print(table(rows));
  return kExitNo;
}

CLI::App* add_verify(CLI::App& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<PackageOptions>();
  CLI::App* app = group.add_subcommand(
      "verify", "Say whether Android would take the packages' signatures, and if not why");
  app->add_option("FILE", options->files, "APK files")->required();
  const auto levels = CLI::Range(std::uint32_t{1}, std::uint32_t{INT32_MAX});
  app->add_option("--min-sdk", options->min_sdk,
                  "The oldest API level to verify for (default: what the manifest says)")
      ->check(levels)
      ->type_name("N");
  app->add_option("--max-sdk", options->max_sdk,
                  "The newest API level to verify for (default: the newest)")
      ->check(levels)
      ->type_name("N");
  app->add_option("--v4-signature-file", options->v4_file,
                  "Verify this v4 signature (app.apk.idsig) of the package too")
      ->type_name("FILE");
  app->footer(
      "Exits with 0 when every file verifies, 1 when one is refused, 2 when one cannot be read.\n"
      "With --json: one object a line, one line a file. docs/package-rules.md explains the "
      "reasons.");
  dispatcher.on(app, [options](Session& s) { return verify(*options, s); });
  return app;
}

}  // namespace

void add_package_command(CLI::App& app, Dispatcher& dispatcher) {
  CLI::App* group = add_group(app, "package", "Look at packages on this machine");
  add_verify(*group, dispatcher);

  auto measured = std::make_shared<std::string>();
  CLI::App* measure_app = group->add_subcommand(
      "measure", "Print the measurement that a registration of the package would have");
  measure_app->add_option("FILE", *measured, "An APK file")->required();
  dispatcher.on(measure_app, [measured](Session& s) { return measure(*measured, s); });

  auto shown = std::make_shared<std::string>();
  CLI::App* show_app = group->add_subcommand(
      "show", "Show a package's facts, signers and parts, also when it is refused");
  show_app->add_option("FILE", *shown, "An APK file")->required();
  dispatcher.on(show_app, [shown](Session& s) { return show(*shown, s); });

  auto compared = std::make_shared<PackageOptions>();
  CLI::App* diff_app = group->add_subcommand("diff", "Name what differs between two packages");
  diff_app->add_option("FILES", compared->files, "The older and the newer APK file")
      ->required()
      ->expected(2);
  diff_app->footer("Exits with 0 when nothing differs and both verify, else 1.");
  dispatcher.on(diff_app, [compared](Session& s) { return diff(*compared, s); });
}

}  // namespace touchmark::cli
