// touchmark registration add|list|expire|remove; certificate_command.cc has add-certificate
#include <fmt/format.h>

#include "base/encoding.h"
#include "cli/commands/commands.h"
#include "cli/commands/package/app_options.h"
#include "cli/commands/registration/certificate.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "package/package.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kRegistrationsPath = "/admin/v1/registrations";

constexpr std::string_view kCertificateId = "cert-";

struct AddOptions {
  FormOptions app;
  std::string expire_after;
};

struct ExpireOptions {
  std::vector<std::string> ids;
  std::string after;
  bool never = false;
};

// Releases and certificates have ids of different looks, so one command serves both.
std::string path_of(const std::string& id) {
  return fmt::format("{}/{}",
                     id.starts_with(kCertificateId) ? kCertificatesPath : kRegistrationsPath,
                     service::path_segment(id));
}

Result<std::string> upload_path(const AddOptions& options,
                                const std::vector<Sha256Digest>& bundle_signers) {
  std::string query;
  if (!options.expire_after.empty()) {
    auto expire_after = parse_duration(options.expire_after);
    if (!expire_after) return pass(expire_after);
    query = fmt::format("?expire_after={}", expire_after->count());
  }
  for (const Sha256Digest& signer : bundle_signers) {
    const bool first = &signer == bundle_signers.data();
    if (first) query += query.empty() ? "?bundle_signers=" : "&bundle_signers=";
    query += (first ? "" : ",") + hex_encode(signer);
  }
  return kRegistrationsPath + query;
}

// A certificate that is registered for just this app, when there is one: a bundle does not say who
// will sign what is made of it.
Result<std::vector<Sha256Digest>> registered_signers(const std::string& package,
                                                     service::AdminClient& client) {
  const auto answer = client.get(kCertificatesPath);
  if (!answer) return pass(answer);
  std::vector<Sha256Digest> out;
  const Json* certificates = find_array(*answer, "certificates");
  for (const Json& row : certificates != nullptr ? *certificates : Json::array()) {
    const auto digest = hex_decode(find_string(row, "sha256").value_or(""));
    if (find_string(row, "package") != package || row.value("development", true)) continue;
    if (row.value("expired", true) || !digest || digest->size() != Sha256Digest().size()) continue;
    std::ranges::copy(*digest, out.emplace_back().begin());
  }
  if (out.size() == 1) return out;
  return fail(io::CliError::kUsage,
              fmt::format("{} certificates are registered for {} alone; name the "
                          "store's with --signing-certificate",
                          out.empty() ? "no" : "several", package));
}

// Reads the app here first: a bad one is refused at once and with its reason, and the label is on
// the screen before a long upload.
Result<package::Measurement> measure_here(const AppFiles& app, package::MeasureOptions& how,
                                          service::AdminClient& client) {
  auto measurement = app.measure(how);
  if (!measurement || measurement->form != package::Form::kBundle || !how.bundle_signers.empty()) {
    return measurement;
  }
  auto signers = registered_signers(measurement->package_name, client);
  if (!signers) return pass(signers);
  how.bundle_signers = *std::move(signers);
  return app.measure(how);
}

Result<Json> upload(const AppFiles& app, const std::string& path, service::AdminClient& client,
                    Session& session) {
  if (app.paths().size() == 1) {
    return client.upload(path, app.paths().front(), session.progress("uploading"));
  }
  const auto archive = pack_splits(app.paths());
  if (!archive) return pass(archive);
  return client.upload(path, archive->path(), session.progress("uploading"));
}

Outcome add(const AddOptions& options, Session& session) {
  auto how = measure_options(options.app);
  if (!how) return pass(how);
  if (auto ok = upload_path(options, {}); !ok) return pass(ok);
  auto client = session.connect();
  if (!client) return pass(client);
  const auto app = AppFiles::open(options.app.files);
  if (!app) return pass(app);
  auto measurement = measure_here(*app, *how, *client);
  if (!measurement) return pass(measurement);
  const auto path = upload_path(options, how->bundle_signers);
  if (!session.json())
    session.console().print("registering app " + io::one_line(measurement->label));

  auto answer = upload(*app, *path, *client, session);
  if (!answer) return pass(answer);
  auto line = get_string(*answer, "line", 1U << 16);
  if (!line) return fail(io::CliError::kBadAnswer, "the answer has no measurement line");
  if (*line != package::one_line(*measurement)) {
    return fail(io::CliError::kOtherMeasurement,
                fmt::format("the service registered {}, but the package here is {}", *line,
                            package::one_line(*measurement)));
  }
  if (session.json()) return print_json(session, *answer);
  session.console().print(io::one_line(*line));
  note_demand(*answer, session);
  if (auto expires = get_int(*answer, "expires", 0, kMaxUnixTime)) {
    session.console().print("registration successful, expires " + format_time(from_unix(*expires)));
  } else {
    session.console().print("registration successful");
  }
  print_warnings(*answer, session);
  return io::kExitOk;
}

std::string time_cell(const Json& row, const char* name) {
  auto time = get_int(row, name, 0, kMaxUnixTime);
  return time ? format_time(from_unix(*time)) : "never";
}

std::string expiry_cell(const Json& row) {
  const auto expired = row.find("expired");
  const bool is_expired = expired != row.end() && expired->is_boolean() && expired->get<bool>();
  return time_cell(row, "expires") + (is_expired ? " (expired)" : "");
}

void print_releases(const Json& registrations, Session& session) {
  if (registrations.empty()) {
    session.console().note(
        "no app is registered yet; `touchmark registration add app.apk` does it");
    return;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "APP", "RELEASE", "ADDED", "BY", "EXPIRES"}};
  for (const Json& row : registrations) {
    auto code = get_int(row, "version_code", 0, INT64_MAX);
    rows.push_back({find_string(row, "id").value_or("?"), find_string(row, "label").value_or("?"),
                    fmt::format("{}-{}[{}]", find_string(row, "package").value_or("?"),
                                find_string(row, "version_name").value_or("?"),
                                code ? std::to_string(*code) : "?"),
                    time_cell(row, "created"), find_string(row, "created_by").value_or("?"),
                    expiry_cell(row)});
  }
  session.console().print(io::table(rows));
}

void print_certificates(const Json& certificates, Session& session) {
  if (certificates.empty()) return;
  std::vector<std::vector<std::string>> rows{
      {"CERTIFICATE", "SUBJECT", "FOR", "ADDED", "BY", "EXPIRES"}};
  for (const Json& row : certificates) {
    const auto development = row.find("development");
    const bool marked = development != row.end() && *development == Json(true);
    rows.push_back(
        {find_string(row, "id").value_or("?"), find_string(row, "subject").value_or("?"),
         find_string(row, "package").value_or("every app") + (marked ? " (development)" : ""),
         time_cell(row, "created"), find_string(row, "created_by").value_or("?"),
         expiry_cell(row)});
  }
  session.console().print("\n" + io::table(rows));
}

Outcome list(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto releases = client->get(kRegistrationsPath);
  if (!releases) return pass(releases);
  auto signers = client->get(kCertificatesPath);
  if (!signers) return pass(signers);
  const Json* registrations = find_array(*releases, "registrations");
  const Json* certificates = find_array(*signers, "certificates");
  if (registrations == nullptr || certificates == nullptr) {
    return fail(io::CliError::kBadAnswer, "the answer has no list of registrations");
  }
  if (session.json()) {
    return print_json(session,
                      {{"registrations", *registrations}, {"certificates", *certificates}});
  }
  print_releases(*registrations, session);
  print_certificates(*certificates, session);
  return io::kExitOk;
}

Outcome expire(const ExpireOptions& options, Session& session) {
  Json body{{"expire_after", nullptr}};
  if (options.never == !options.after.empty()) {
    return fail(io::CliError::kUsage, "say when: --after DURATION or --never");
  }
  if (!options.never) {
    const auto after = parse_duration(options.after);
    if (!after) return pass(after);
    body["expire_after"] = after->count();
  }
  auto client = session.connect();
  if (!client) return pass(client);
  Json changed = Json::array();
  for (const std::string& id : options.ids) {
    const auto answer = client->patch(path_of(id), body);
    if (!answer) return pass(answer);
    changed.push_back(*answer);
    if (!session.json()) {
      session.console().print(io::one_line(id) + " expires " + time_cell(*answer, "expires"));
    }
  }
  return session.json() ? print_json(session, {{"changed", changed}}) : io::kExitOk;
}

Outcome remove(const std::vector<std::string>& ids, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  for (const std::string& id : ids) {
    if (auto removed = client->remove(path_of(id)); !removed) {
      return pass(removed);
    }
    if (!session.json()) session.console().print("removed " + id);
  }
  return session.json() ? print_json(session, {{"removed", ids}}) : io::kExitOk;
}

}  // namespace

void add_registration_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "registration", "Register the releases that get valid tokens");

  auto add_options = std::make_shared<AddOptions>();
  line::Command* add_app = group->add_subcommand("add", "Measure an app and register it");
  add_app
      ->add_option("PACKAGE", add_options->app.files,
                   "The signed release: an APK, app bundle, IPA or archive of split APKs; or the "
                   "APK files of a base and its splits")
      ->required();
  add_signing_certificate_option(*add_app, add_options->app.signing_certificates);
  add_app
      ->add_option("--expire-after", add_options->expire_after,
                   "How long the registration lasts: 600s, 12h, 30d (default: forever)")
      ->type_name("DURATION");
  add_app->footer(
      "Without --signing-certificate a bundle counts as signed by the certificate that is\n"
      "registered for its app alone (`touchmark registration add-certificate --package NAME`).\n"
      "Example:\n  touchmark registration add app-release.apk --expire-after 600s");
  dispatcher.on(add_app, [add_options](Session& s) { return add(*add_options, s); });

  add_certificate_command(*group, dispatcher);

  line::Command* list_app = group->add_subcommand("list", "List what is registered");
  dispatcher.on(list_app, list);

  auto expire_options = std::make_shared<ExpireOptions>();
  line::Command* expire_app =
      group->add_subcommand("expire", "Change how long registrations last from now on");
  expire_app->add_option("ID", expire_options->ids, "As `touchmark registration list` shows it")
      ->required();
  expire_app->add_option("--after", expire_options->after, "How long they last: 600s, 12h, 30d")
      ->type_name("DURATION");
  expire_app->add_flag("--never", expire_options->never, "They last forever");
  dispatcher.on(expire_app, [expire_options](Session& s) { return expire(*expire_options, s); });

  auto ids = std::make_shared<std::vector<std::string>>();
  line::Command* remove_app = group->add_subcommand("remove", "Remove registrations");
  remove_app->add_option("ID", *ids, "As `touchmark registration list` shows it")->required();
  dispatcher.on(remove_app, [ids](Session& s) { return remove(*ids, s); });
}

}  // namespace touchmark::cli::commands
