// touchmark registration add|list|show|expire|remove; certificate.cc has add-certificate
#include <fmt/format.h>

#include "base/encoding.h"
#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/commands/package/app_options.h"
#include "cli/commands/registration/certificate.h"
#include "cli/commands/registration/reference.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "package/package.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::string_view kCertificateId = "cert-";

constexpr const char* kReference =
    "Its id or the beginning of it, the package file, or the app's name: com.example.app[@VERSION]";

struct AddOptions {
  FormOptions app;
  std::string expire_after;
  bool replace = false;
  bool dry_run = false;
  bool other_service = false;
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

Result<std::string> upload_path(const AddOptions& options, const package::MeasureOptions& how) {
  std::string query;
  const auto add = [&](const std::string& text) { query += (query.empty() ? "?" : "&") + text; };
  if (!options.expire_after.empty()) {
    auto expire_after = parse_duration(options.expire_after);
    if (!expire_after) return pass(expire_after);
    add(fmt::format("expire_after={}", expire_after->count()));
  }
  if (!how.bundle_signers.empty()) {
    std::string list;
    for (const Sha256Digest& signer : how.bundle_signers) {
      list += (list.empty() ? "" : ",") + hex_encode(signer);
    }
    add("bundle_signers=" + list);
  }
  if (how.bundle_first_signer) {
    add("bundle_first_signer=" + hex_encode(*how.bundle_first_signer));
  }
  if (options.replace) add("replace=true");
  if (options.dry_run) add("dry_run=true");
  if (options.other_service) add("other_service=true");
  return kRegistrationsPath + query;
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

// "registration successful, expires ...", in the words of what was done, or would be.
std::string result_line(const Json& answer, bool dry_run) {
  const std::string status = find_string(answer, "status").value_or("added");
  const auto expires = get_int(answer, "expires", 0, kMaxUnixTime);
  const std::string end = expires ? ", expires " + io::local_time(from_unix(*expires)) : "";
  const auto was = [&]() -> std::string {
    const Json* changes = find_object(answer, "changes");
    const Json* change = changes == nullptr ? nullptr : find_object(*changes, "expires");
    if (change == nullptr) return "";
    const auto before = get_int(*change, "before", 0, kMaxUnixTime);
    return before ? " instead of " + io::local_time(from_unix(*before)) : ", which had no end";
  };
  if (status == "unchanged") return "registered already, unchanged" + end;
  if (status == "added") return (dry_run ? "would be registered" : "registration successful") + end;
  const std::string lasting = expires ? end : ", without an end now";
  return fmt::format("registered already, {}{}{}{}", dry_run ? "would be " : "",
                     io::one_line(status), lasting, was());
}

// "a, b" of a list of texts; nothing where there is none, or an older service does not say.
std::string listed(const Json& answer, const char* name) {
  std::string out;
  const Json* list = find_array(answer, name);
  for (const Json& one : list != nullptr ? *list : Json::array()) {
    if (one.is_string()) out += (out.empty() ? "" : ", ") + io::one_line(one.get<std::string>());
  }
  return out;
}

// With nothing to compare it with, a person is the one who can.
void note_signer(const Json& answer, Session& session) {
  if (find_string(answer, "signer") != "first") return;
  session.console().note(
      "the first release of this app here; its signer's certificate has the SHA-256 " +
      listed(answer, "signers"));
}

// An iOS app's own facts: what a phone will prove of it.
void note_ios(const Json& answer, Session& session) {
  const std::string team = find_string(answer, "team").value_or("");
  if (team.empty()) return;
  const std::string package = find_string(answer, "package").value_or("?");
  session.console().note("its team is " + io::one_line(team) + ", so App Attest keys of " +
                         io::one_line(team + "." + package) + " count for it");
  const std::string sdk = find_string(answer, "sdk_version").value_or("");
  const std::string configuration = find_string(answer, "configuration").value_or("");
  if (sdk.empty() || (configuration != "own" && configuration != "older")) return;
  session.console().note("the SDK " + io::one_line(sdk) + " and a configuration of this service" +
                         " are in it");
}

void note_abis(const Json& answer, Session& session) {
  if (const std::string abis = listed(answer, "sdk_abis"); !abis.empty()) {
    session.console().note("the SDK's library is in it for " + abis);
  }
}

// An app bundle is signed with an upload key, and the store signs with a key of its own what phones
// install: who takes the one certificate for the other registers what no phone has.
void warn_of_upload_certificate(const AppFiles& app, const package::Measurement& measurement,
                                Json& answer) {
  for (const Sha256Digest& certificate : app.upload_certificates()) {
    if (std::ranges::find(measurement.signers, certificate) == measurement.signers.end()) continue;
    answer["warnings"].push_back(
        {{"id", "upload-certificate"},
         {"message",
          fmt::format(
              "the certificate {} that counts as the store's also signed this bundle, as an upload "
              "certificate does. Google Play signs with another one, and no phone would match: "
              "take the app signing certificate out of the Play Console and register again with "
              "--signing-certificate deployment_cert.der, or register the APKs that Play "
              "delivers. Only where the store signs with the very same key is this right",
              hex_encode(certificate))}});
    return;
  }
}

Outcome add(const AddOptions& options, Session& session) {
  auto how = measure_options(options.app);
  if (!how) return pass(how);
  if (auto ok = upload_path(options, {}); !ok) return pass(ok);
  auto client = session.connect();
  if (!client) return pass(client);
  const auto app = AppFiles::open(options.app.files);
  if (!app) return pass(app);
  // Read here first: a bad one is refused at once and with its reason, and the label is on the
  // screen before a long upload.
  auto measurement = measure_here(*app, *how, *client);
  if (!measurement) return pass(measurement);
  const auto path = upload_path(options, *how);
  if (!session.json()) {
    session.console().print((options.dry_run ? "checking app " : "registering app ") +
                            io::one_line(measurement->label));
  }

  auto answer = upload(*app, *path, *client, session);
  if (!answer) return pass(answer);
  auto line = get_string(*answer, "line", 1U << 16);
  if (!line) return fail(io::CliError::kBadAnswer, "the answer has no measurement line");
  if (*line != package::one_line(*measurement)) {
    return fail(io::CliError::kOtherMeasurement,
                fmt::format("the service registered {}, but the package here is {}", *line,
                            package::one_line(*measurement)));
  }
  // A service from before there were dry runs registers all the same.
  if (options.dry_run && answer->value("dry_run", Json()) != Json(true)) {
    return fail(io::CliError::kBadAnswer,
                "the service knows no dry run and registered the app; `touchmark registration "
                "remove` undoes it");
  }
  warn_of_upload_certificate(*app, *measurement, *answer);
  if (session.json()) return print_json(session, *answer);
  session.console().print(io::one_line(*line));
  note_abis(*answer, session);
  note_ios(*answer, session);
  note_demand(*answer, session);
  note_signer(*answer, session);
  session.console().print(result_line(*answer, options.dry_run));
  print_warnings(*answer, session);
  return io::kExitOk;
}

// The beginning of the digest as the measurement's line shows it.
std::string digest_cell(const Json& row) {
  constexpr std::size_t kShown = 12;
  return find_string(row, "line").value_or("?").substr(0, kShown);
}

std::string form_cell(const Json& row) {
  const std::string form = find_string(row, "form").value_or("?");
  if (form == "apk") return "APK";
  if (form == "splits") return "split APKs";
  if (form == "bundle") return "AAB";
  return form == "ipa" ? "IPA" : form;
}

void print_releases(const Json& registrations, Session& session) {
  if (registrations.empty()) {
    session.console().note(
        "no app is registered yet; `touchmark registration add app.apk` does it");
    return;
  }
  std::vector<std::vector<std::string>> rows{
      {"ID", "APP", "RELEASE", "DIGEST", "PLATFORM", "FORM", "ADDED", "BY", "EXPIRES"}};
  for (const Json& row : registrations) {
    rows.push_back({find_string(row, "id").value_or("?"), find_string(row, "label").value_or("?"),
                    registered_name(row), digest_cell(row),
                    find_string(row, "platform").value_or("?"), form_cell(row),
                    time_cell(row, "created", "never"),
                    find_string(row, "created_by").value_or("?"), expiry_cell(row)});
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
         time_cell(row, "created", "never"), find_string(row, "created_by").value_or("?"),
         expiry_cell(row)});
  }
  session.console().print("\n" + io::table(rows));
}

Outcome list(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  const auto registered = read_registered(*client);
  if (!registered) return pass(registered);
  if (session.json()) {
    return print_json(session, {{"registrations", registered->releases},
                                {"certificates", registered->certificates}});
  }
  print_releases(registered->releases, session);
  print_certificates(registered->certificates, session);
  return io::kExitOk;
}

Outcome show_certificate(const std::string& id, service::AdminClient& client, Session& session) {
  const auto registered = read_registered(client);
  if (!registered) return pass(registered);
  for (const Json& row : registered->certificates) {
    if (find_string(row, "id") != id) continue;
    if (session.json()) return print_json(session, row);
    print_certificates(Json::array({row}), session);
    return io::kExitOk;
  }
  return fail(io::CliError::kNotFound, "no certificate has the id \"" + id + "\"");
}

// " for arm64-v8a, without x86", of an Android app.
std::string for_abis(const Json& answer) {
  const std::string with = listed(answer, "sdk_abis");
  const std::string without = listed(answer, "abis_without_sdk");
  return (with.empty() ? "" : " for " + with) +
         (without.empty() ? "" : (with.empty() ? " without " : ", without ") + without);
}

void print_release(const Json& answer, Session& session) {
  const Json* found = find_object(answer, "measurement");
  const Json measurement = found == nullptr ? Json::object() : *found;
  const auto number = [&](const char* name) {
    const auto value = get_int(measurement, name, 0, UINT32_MAX);
    return value ? std::to_string(*value) : "?";
  };
  const auto yes_or_no = [&](const char* name) {
    return measurement.value(name, Json()) == Json(true) ? "yes" : "no";
  };
  const Json* network = find_object(measurement, "network_security");
  // "yes", "no", or "for a.example, b.example".
  const auto allowed = [&](const char* name, const char* domains) {
    const Json* only = network == nullptr ? nullptr : find_array(*network, domains);
    if (only == nullptr || only->empty()) return std::string(yes_or_no(name));
    std::string out = "for";
    for (const Json& domain : *only) {
      if (domain.is_string()) out += (out == "for" ? " " : ", ") + domain.get<std::string>();
    }
    return io::one_line(out);
  };
  const std::string sdk = find_string(measurement, "sdk_version").value_or("");
  std::vector<std::vector<std::string>> rows{
      {"id", find_string(answer, "id").value_or("?")},
      {"app", find_string(answer, "label").value_or("?")},
      {"release", registered_name(answer)},
      {"platform", find_string(measurement, "platform").value_or("?")},
      {"form", form_cell(answer)},
      {"API levels", number("min_sdk") + " and up, targets " + number("target_sdk")},
      {"debuggable", yes_or_no("debuggable")},
      {"test only", yes_or_no("test_only")},
      {"cleartext traffic", allowed("cleartext", "cleartext_domains")},
      {"user certificates", allowed("user_certificates", "user_certificate_domains")},
      {"Touchmark SDK", sdk.empty() ? "none" : sdk + for_abis(answer)},
      {"added", time_cell(answer, "created", "never") + " by " +
                    find_string(answer, "created_by").value_or("?")},
      {"expires", expiry_cell(answer)}};
  const Json* signers = find_array(measurement, "signers");
  for (const Json& signer : signers == nullptr ? Json::array() : *signers) {
    if (signer.is_string()) rows.push_back({"signer", signer.get<std::string>()});
  }
  if (const auto team = find_string(measurement, "team")) rows.push_back({"team", *team});
  if (const auto first = find_string(measurement, "first_signer")) {
    rows.push_back({"rotated from", *first});
  }
  const Json* parts = find_array(measurement, "parts");
  rows.push_back({"parts", std::to_string(parts == nullptr ? 0 : parts->size())});
  rows.push_back({"measurement", find_string(answer, "line").value_or("?")});
  session.console().print(io::table(rows));
}

Outcome show(const std::string& word, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  const auto ids = registration_ids({word}, *client);
  if (!ids) return pass(ids);
  const std::string& id = ids->front();
  if (id.starts_with(kCertificateId)) return show_certificate(id, *client, session);
  const auto answer = client->get(path_of(id), 64U << 20);
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  print_release(*answer, session);
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
  const auto ids = registration_ids(options.ids, *client);
  if (!ids) return pass(ids);
  Json changed = Json::array();
  for (const std::string& id : *ids) {
    const auto answer = client->patch(path_of(id), body);
    if (!answer) return pass(answer);
    changed.push_back(*answer);
    if (!session.json()) {
      session.console().print(io::one_line(id) + " expires " +
                              time_cell(*answer, "expires", "never"));
    }
  }
  return session.json() ? print_json(session, {{"changed", changed}}) : io::kExitOk;
}

Outcome remove(const std::vector<std::string>& words, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  const auto ids = registration_ids(words, *client);
  if (!ids) return pass(ids);
  for (const std::string& id : *ids) {
    if (auto removed = client->remove(path_of(id)); !removed) {
      return pass(removed);
    }
    if (!session.json()) session.console().print("removed " + id);
  }
  return session.json() ? print_json(session, {{"removed", *ids}}) : io::kExitOk;
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
  add_original_certificate_option(*add_app, add_options->app.original_certificate);
  add_app
      ->add_option("--expire-after", add_options->expire_after,
                   "How long the registration lasts: 600s, 12h, 30d (default: forever)")
      ->type_name("DURATION");
  add_app->add_flag("--replace", add_options->replace,
                    "Let a registration that lasts forever end, or one that ends last forever");
  add_app->add_flag("--dry-run", add_options->dry_run,
                    "Do all checks and say what would change, but change nothing");
  add_app->add_flag("--other-service", add_options->other_service,
                    "Register it although its configuration is of another service");
  add_app->footer(
      "A release that is registered already stays as it is, apart from when it ends: it is\n"
      "unchanged, renewed or, with --replace, replaced.\n\n"
      "Without --signing-certificate a bundle counts as signed by the certificate that is\n"
      "registered for its app alone (`touchmark registration add-certificate --package NAME`).\n"
      "Example:\n  touchmark registration add app-release.apk --expire-after 600s");
  dispatcher.on(add_app, [add_options](Session& s) { return add(*add_options, s); });

  add_certificate_command(*group, dispatcher);

  line::Command* list_app = group->add_subcommand("list", "List what is registered");
  dispatcher.on(list_app, list);

  auto word = std::make_shared<std::string>();
  line::Command* show_app = group->add_subcommand("show", "Show one registration");
  show_app->add_option("REGISTRATION", *word, kReference)->required();
  show_app->footer("Example:\n  touchmark registration show com.example.app@1.0");
  dispatcher.on(show_app, [word](Session& s) { return show(*word, s); });

  auto expire_options = std::make_shared<ExpireOptions>();
  line::Command* expire_app =
      group->add_subcommand("expire", "Change how long registrations last from now on");
  expire_app->add_option("REGISTRATION", expire_options->ids, kReference)->required();
  expire_app->footer(
      "Examples:\n"
      "  touchmark registration expire 7f3a --after 30d\n"
      "  touchmark registration expire com.example.app@1.0 --never");
  expire_app->add_option("--after", expire_options->after, "How long they last: 600s, 12h, 30d")
      ->type_name("DURATION");
  expire_app->add_flag("--never", expire_options->never, "They last forever");
  dispatcher.on(expire_app, [expire_options](Session& s) { return expire(*expire_options, s); });

  auto ids = std::make_shared<std::vector<std::string>>();
  line::Command* remove_app = group->add_subcommand("remove", "Remove registrations");
  remove_app->add_option("REGISTRATION", *ids, kReference)->required();
  remove_app->footer(
      "Examples:\n"
      "  touchmark registration remove 7f3a app-release.apk\n"
      "  touchmark registration remove com.example.app@1.0");
  dispatcher.on(remove_app, [ids](Session& s) { return remove(*ids, s); });
}

}  // namespace touchmark::cli::commands
