// touchmark registration add|list|remove
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/error.h"
#include "cli/text.h"
#include "package/package.h"

namespace touchmark::cli {
namespace {

constexpr std::int64_t kMaxUnix = 253402300799;  // the end of the year 9999
constexpr const char* kPath = "/admin/v1/registrations";

struct AddOptions {
  std::string package;
  std::string expire_after;
};

// Reads the package here first: a bad one is refused at once and with its reason, and the label is
// on the screen before a long upload.
Result<package::Measurement> measure_here(const std::string& path) {
  auto source = package::open_file(path);
  if (!source) return fail(CliError::kUnreadableFile, "cannot read " + source.error().message());
  auto measurement = package::measure(**source);
  if (!measurement) {
    const Error& error = measurement.error();
    return tl::unexpected(error.reworded(fmt::format("{}: {}", path, error.message())));
  }
  return measurement;
}

Outcome add(const AddOptions& options, Session& session) {
  std::string path = kPath;
  if (!options.expire_after.empty()) {
    auto expire_after = parse_duration(options.expire_after);
    if (!expire_after) return pass(expire_after);
    path += fmt::format("?expire_after={}", expire_after->count());
  }
  auto client = session.connect();
  if (!client) return pass(client);
  auto measurement = measure_here(options.package);
  if (!measurement) return pass(measurement);
  if (!session.json()) session.console().print("registering app " + one_line(measurement->label));

  auto answer = client->upload(path, options.package, session.progress("uploading"));
  if (!answer) return pass(answer);
  auto line = get_string(*answer, "line", 1U << 16);
  if (!line) return fail(CliError::kBadAnswer, "the answer has no measurement line");
  if (*line != package::one_line(*measurement)) {
    return fail(CliError::kOtherMeasurement,
                fmt::format("the service registered {}, but the package here is {}", *line,
                            package::one_line(*measurement)));
  }
  if (session.json()) return print_json(session, *answer);
  session.console().print(one_line(*line));
  if (auto expires = get_int(*answer, "expires", 0, kMaxUnix)) {
    session.console().print("registration successful, expires " + format_time(from_unix(*expires)));
  } else {
    session.console().print("registration successful");
  }
  return kExitOk;
}

std::string time_cell(const Json& row, const char* name) {
  auto time = get_int(row, name, 0, kMaxUnix);
  return time ? format_time(from_unix(*time)) : "never";
}

std::string expiry_cell(const Json& row) {
  const auto expired = row.find("expired");
  const bool is_expired = expired != row.end() && expired->is_boolean() && expired->get<bool>();
  return time_cell(row, "expires") + (is_expired ? " (expired)" : "");
}

Outcome list(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kPath);
  if (!answer) return pass(answer);
  const Json* registrations = find_array(*answer, "registrations");
  if (registrations == nullptr) {
    return fail(CliError::kBadAnswer, "the answer has no list of registrations");
  }
  if (session.json()) return print_json(session, *answer);
  if (registrations->empty()) {
    session.console().note(
        "no app is registered yet; `touchmark registration add app.apk` does it");
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "APP", "RELEASE", "ADDED", "BY", "EXPIRES"}};
  for (const Json& row : *registrations) {
    auto code = get_int(row, "version_code", 0, INT64_MAX);
    rows.push_back({find_string(row, "id").value_or("?"), find_string(row, "label").value_or("?"),
                    fmt::format("{}-{}[{}]", find_string(row, "package").value_or("?"),
                                find_string(row, "version_name").value_or("?"),
                                code ? std::to_string(*code) : "?"),
                    time_cell(row, "created"), find_string(row, "created_by").value_or("?"),
                    expiry_cell(row)});
  }
  session.console().print(table(rows));
  return kExitOk;
}

Outcome remove(const std::vector<std::string>& ids, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  for (const std::string& id : ids) {
    if (auto removed = client->remove(fmt::format("{}/{}", kPath, path_segment(id))); !removed) {
      return pass(removed);
    }
    if (!session.json()) session.console().print("removed " + id);
  }
  return session.json() ? print_json(session, {{"removed", ids}}) : kExitOk;
}

}  // namespace

void add_registration_commands(CLI::App& app, Dispatcher& dispatcher) {
  CLI::App* group = add_group(app, "registration", "Register the releases that get valid tokens");

  auto add_options = std::make_shared<AddOptions>();
  CLI::App* add_app = group->add_subcommand("add", "Measure a package and register it");
  add_app->add_option("PACKAGE", add_options->package, "The signed release, an APK file")
      ->required();
  add_app
      ->add_option("--expire-after", add_options->expire_after,
                   "How long the registration lasts: 600s, 12h, 30d (default: for ever)")
      ->type_name("DURATION");
  add_app->footer("Example:\n  touchmark registration add app-release.apk --expire-after 600s");
  dispatcher.on(add_app, [add_options](Session& s) { return add(*add_options, s); });

  CLI::App* list_app = group->add_subcommand("list", "List what is registered");
  dispatcher.on(list_app, list);

  auto ids = std::make_shared<std::vector<std::string>>();
  CLI::App* remove_app = group->add_subcommand("remove", "Remove registrations");
  remove_app->add_option("ID", *ids, "As `touchmark registration list` shows it")->required();
  dispatcher.on(remove_app, [ids](Session& s) { return remove(*ids, s); });
}

}  // namespace touchmark::cli
