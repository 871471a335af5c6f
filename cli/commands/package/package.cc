#include "cli/commands/package/package.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/package/app_options.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "crypto/crypto.h"
#include "package/inspection.h"
#include "package/package.h"

namespace touchmark::cli::commands {
namespace {

using package::Measurement;
using package::signature::SignatureReport;

struct PackageOptions {
  std::vector<std::string> files;
  std::uint32_t min_sdk = 0;
  std::uint32_t max_sdk = 0;
  std::string v4_file;
};

bool is_file_trouble(const Error& error) { return io::classify(error).exit_code == io::kExitUsage; }

Json capability_names(std::uint32_t flags) {
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 5> kNames{{
      {package::signature::kCapabilityInstalledData, "installed-data"},
      {package::signature::kCapabilitySharedUserId, "shared-user-id"},
      {package::signature::kCapabilityPermission, "permission"},
      {package::signature::kCapabilityRollback, "rollback"},
      {package::signature::kCapabilityAuthenticator, "authenticator"},
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
  for (const package::signature::SignerInfo& signer : report->signers) {
    json["signers"].push_back(
        {{"certificate_sha256", hex_encode(signer.certificate_sha256)}, {"scheme", signer.scheme}});
  }
  for (const package::signature::LineageCertificate& entry : report->lineage) {
    json["lineage"].push_back(
        {{"certificate_sha256", hex_encode(crypto::sha256(entry.certificate))},
         {"capabilities", capability_names(entry.capabilities)}});
  }
  if (report->stamp) {
    json["stamp"] = {{"certificate_sha256", hex_encode(report->stamp->certificate_sha256)},
                     {"time", report->stamp->time}};
  }
  return json;
}

void print_report(const std::string& path, const SignatureReport& report, Session& session) {
  session.console().print(
      io::one_line(fmt::format("{}: verified ({})", path, join(report.schemes))));
  for (const package::signature::SignerInfo& signer : report.signers) {
    session.console().print("  signer " + hex_encode(signer.certificate_sha256));
  }
  for (const std::string& warning : report.warnings) {
    session.console().print("  warning " + io::one_line(warning));
  }
}

Result<SignatureReport> report_on(const std::string& path, const PackageOptions& options) {
  const auto source = open_file(path);
  if (!source) return pass(source);
  package::signature::SignatureOptions levels{options.min_sdk, options.max_sdk, nullptr};
  if (options.v4_file.empty()) return package::verify(**source, levels);
  const auto v4_source = open_file(options.v4_file);
  if (!v4_source) return pass(v4_source);
  levels.v4_signature = v4_source->get();
  return package::verify(**source, levels);
}

io::ExitCode verify_one(const std::string& path, const PackageOptions& options, Session& session) {
  const auto report = report_on(path, options);
  if (session.json()) {
    Json json = signature_json(report);
    json["file"] = path;
    print_json(session, json);
  } else if (report) {
    print_report(path, *report, session);
  } else {
    session.console().print(io::one_line(
        fmt::format("{}: {}: {}", path, is_file_trouble(report.error()) ? "unreadable" : "refused",
                    report.error().text())));
  }
  if (report) return io::kExitOk;
  return is_file_trouble(report.error()) ? io::kExitUsage : io::kExitNo;
}

// Says something of every file, and exits with the gravest of their statuses.
Outcome verify(const PackageOptions& options, Session& session) {
  if (options.min_sdk != 0 && options.max_sdk != 0 && options.min_sdk > options.max_sdk) {
    return fail(io::CliError::kUsage, "--min-sdk is above --max-sdk");
  }
  if (!options.v4_file.empty() && options.files.size() != 1) {
    return fail(io::CliError::kUsage, "--v4-signature-file goes with one package");
  }
  io::ExitCode worst = io::kExitOk;
  for (const std::string& path : options.files) {
    worst = std::max(worst, verify_one(path, options, session));
  }
  return worst;
}

Outcome measure(const FormOptions& options, Session& session) {
  const auto app = AppFiles::open(options.files);
  if (!app) return pass(app);
  const auto how = measure_options(options);
  if (!how) return pass(how);
  const auto measurement = app->measure(*how);
  if (!measurement) return pass(measurement);
  if (!session.json()) {
    session.console().print(io::one_line(package::one_line(*measurement)));
    return io::kExitOk;
  }
  Json json = package::to_json(*measurement);
  json["digest"] = base64_encode(package::digest(*measurement));
  json["line"] = package::one_line(*measurement);
  return print_json(session, json);
}

void print_facts(const package::Inspection& inspection, Session& session) {
  const Measurement& facts = inspection.measurement;
  std::vector<std::vector<std::string>> rows{
      {"package", facts.package_name},
      {"form", std::string(package::to_string(facts.form))},
      {"label", facts.label},
      {"version", fmt::format("{} [{}]", facts.version_name, facts.version_code)},
      {"API levels", fmt::format("{} and up, targets {}", facts.min_sdk, facts.target_sdk)},
      {"debuggable", facts.debuggable ? "yes" : "no"},
      {"test only", facts.test_only ? "yes" : "no"},
      {"cleartext traffic", package::to_string(facts.network.cleartext)},
      {"user certificates", package::to_string(facts.network.user_certificates)},
      {"Touchmark SDK", facts.sdk_version.empty() ? "none" : facts.sdk_version}};
  if (inspection.signatures) {
    rows.push_back({"signatures", "verified: " + join(inspection.signatures->schemes)});
    for (const package::signature::SignerInfo& signer : inspection.signatures->signers) {
      rows.push_back({"signer", hex_encode(signer.certificate_sha256)});
    }
    for (const package::signature::LineageCertificate& entry : inspection.signatures->lineage) {
      rows.push_back({"lineage", hex_encode(crypto::sha256(entry.certificate))});
    }
    for (const std::string& warning : inspection.signatures->warnings) {
      rows.push_back({"warning", warning});
    }
    rows.push_back({"measurement", package::one_line(facts)});
  } else {
    rows.push_back({"signatures", "refused: " + inspection.signatures.error().text()});
  }
  for (auto& row : rows) row[1] = io::one_line(row[1]);
  session.console().print(io::table(rows));
}

Outcome show(const FormOptions& options, Session& session) {
  const auto app = AppFiles::open(options.files);
  if (!app) return pass(app);
  const auto how = measure_options(options);
  if (!how) return pass(how);
  const auto inspection = app->inspect(*how);
  if (!inspection) return pass(inspection);
  const io::ExitCode exit_code = inspection->signatures ? io::kExitOk : io::kExitNo;
  if (session.json()) {
    Json json = signature_json(inspection->signatures);
    json["file"] = app->name();
    json["app"] = package::to_json(inspection->measurement);
    print_json(session, json);
    return exit_code;
  }
  print_facts(*inspection, session);
  std::vector<std::vector<std::string>> rows{{"SHA-256", "SIZE", "KIND", "PART"}};
  for (const package::Part& part : inspection->measurement.parts) {
    rows.push_back({hex_encode(part.sha256), io::human_size(part.size),
                    std::string(package::to_string(part.kind)), io::one_line(part.name)});
  }
  session.console().print("\n" + io::table(rows));
  return exit_code;
}

line::Command* add_verify(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<PackageOptions>();
  line::Command* app = group.add_subcommand(
      "verify", "Say whether Android would take the packages' signatures, and if not why");
  app->add_option("FILE", options->files, "APK files, archives of split APKs, or IPA files")
      ->required();
  app->add_option("--min-sdk", options->min_sdk,
                  "The oldest API level to verify for (default: what the manifest says)")
      ->range(1, INT32_MAX)
      ->type_name("N");
  app->add_option("--max-sdk", options->max_sdk,
                  "The newest API level to verify for (default: the newest)")
      ->range(1, INT32_MAX)
      ->type_name("N");
  app->add_option("--v4-signature-file", options->v4_file,
                  "Verify this v4 signature (app.apk.idsig) of the package too")
      ->type_name("FILE");
  app->footer(
      "Exits with 0 when every file verifies, 1 when one is refused, 2 when one cannot be read.\n"
      "With --json: one object per line, one line per file. docs/package-rules.md explains the "
      "reasons.");
  dispatcher.on(app, [options](Session& s) { return verify(*options, s); });
  return app;
}

}  // namespace

void add_package_command(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "package", "Look at packages on this machine");
  add_verify(*group, dispatcher);

  auto measured = std::make_shared<FormOptions>();
  line::Command* measure_app = group->add_subcommand(
      "measure", "Print the measurement that a registration of the app would have");
  add_form_options(*measure_app, *measured);
  dispatcher.on(measure_app, [measured](Session& s) { return measure(*measured, s); });

  auto shown = std::make_shared<FormOptions>();
  line::Command* show_app = group->add_subcommand(
      "show", "Show an app's facts, signers and parts, also when its signatures are refused");
  add_form_options(*show_app, *shown);
  dispatcher.on(show_app, [shown](Session& s) { return show(*shown, s); });

  add_package_diff_command(*group, dispatcher);
}

}  // namespace touchmark::cli::commands
