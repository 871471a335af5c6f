// touchmark package diff
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/package/app_options.h"
#include "cli/commands/package/package.h"
#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::string_view kRegistration = "registration:";
constexpr std::size_t kMaxMeasurement = std::size_t{64} << 20;  // bytes, as JSON

Result<package::Inspection> registered(const std::string& id, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  const auto answer =
      client->get("/admin/v1/registrations/" + service::path_segment(id), kMaxMeasurement);
  if (!answer) return pass(answer);
  auto measurement = package::from_json(answer->value("measurement", Json()));
  if (!measurement) {
    return fail(io::CliError::kBadAnswer,
                "the answer has no measurement: " + measurement.error().message());
  }
  return package::inspection_of(*std::move(measurement));
}

// One side of the comparison: a file, or "registration:" and an id of the service.
Result<package::Inspection> side(const std::string& what, const package::MeasureOptions& options,
                                 Session& session) {
  if (what.starts_with(kRegistration)) {
    return registered(what.substr(kRegistration.size()), session);
  }
  const auto app = AppFiles::open({what});
  if (!app) return pass(app);
  return app->inspect(options);
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
  const std::string before = is_part ? io::human_size(difference.size_before) : difference.before;
  std::string after = is_part ? io::human_size(difference.size_after) : difference.after;
  if (difference.before.empty()) return after;
  return difference.after.empty() ? before : before + " -> " + after;
}

Outcome diff(const FormOptions& options, Session& session) {
  const auto how = measure_options(options);
  if (!how) return pass(how);
  const auto before = side(options.files.at(0), *how, session);
  if (!before) return pass(before);
  const auto after = side(options.files.at(1), *how, session);
  if (!after) return pass(after);
  const auto found = package::differences(before->measurement, after->measurement);
  const bool same = found.empty() && before->signatures && after->signatures;
  if (session.json()) {
    Json json{{"same", same}, {"differences", Json::array()}, {"refused", Json::object()}};
    for (const auto& difference : found) json["differences"].push_back(difference_json(difference));
    if (!before->signatures) json["refused"]["before"] = before->signatures.error().id();
    if (!after->signatures) json["refused"]["after"] = after->signatures.error().id();
    print_json(session, json);
    return same ? io::kExitOk : io::kExitNo;
  }
  for (const auto* each : {&*before, &*after}) {
    if (each->signatures) continue;
    session.console().note(
        io::one_line(fmt::format("{} is refused: {}", options.files.at(each == &*before ? 0 : 1),
                                 each->signatures.error().text())));
  }
  if (found.empty()) {
    session.console().print("no part, signer or fact differs");
    return same ? io::kExitOk : io::kExitNo;
  }
  std::vector<std::vector<std::string>> rows{{"WHAT", "CHANGE", "NAME", "DETAIL"}};
  for (const auto& difference : found) {
    rows.push_back({std::string(package::to_string(difference.kind)), change_of(difference),
                    io::one_line(difference.name), io::one_line(difference_detail(difference))});
  }
  session.console().print(io::table(rows));
  return io::kExitNo;
}

}  // namespace

void add_package_diff_command(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<FormOptions>();
  line::Command* app =
      group.add_subcommand("diff", "Name what differs between two releases of an app");
  app->add_option("APP", options->files,
                  "The older and the newer one: a file (APK, app bundle, IPA, archive of split "
                  "APKs), or registration:ID for what the service has registered")
      ->required()
      ->count(2);
  add_signing_certificate_option(*app, options->signing_certificates);
  app->footer("Exits with 0 when nothing differs and both verify, else 1.");
  dispatcher.on(app, [options](Session& s) { return diff(*options, s); });
}

}  // namespace touchmark::cli::commands
