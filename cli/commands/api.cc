// touchmark api add|list|check|remove
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/doctor/gather.h"
#include "cli/commands/doctor/report.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/domain.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kApisPath = "/admin/v1/apis";

struct AddOptions {
  std::string domain;
  std::vector<std::string> files;
  std::vector<std::string> pins;
  std::vector<std::string> backup_pins;
  std::string overlap;
  std::string key_set;
  bool replace = false;
  bool yes = false;
};

// What the service holds of a domain now.
struct Present {
  std::vector<std::string> pins;
  std::vector<std::pair<std::string, std::int64_t>> retiring;  // and until when, unix
};

void add_unique(std::vector<std::string>& pins, const std::string& pin) {
  if (std::find(pins.begin(), pins.end(), pin) == pins.end()) pins.push_back(pin);
}

Result<void> add_pin_of_server(const std::string& domain, Session& session,
                               std::vector<std::string>& pins) {
  auto certificate = session.server_certificate(domain);
  if (!certificate) return pass(certificate);
  add_unique(pins, certificate->pin);
  session.console().note(fmt::format("read the pin of {} ({})", domain, certificate->subject));
  if (!certificate->trust_problem.empty()) {
    session.console().note(
        fmt::format("warning: this machine would not trust that certificate ({}); pin it only if "
                    "it is yours",
                    certificate->trust_problem));
  }
  return {};
}

// The pins that the options name, or that the server shows.
Result<std::vector<std::string>> named_pins(const AddOptions& options, const std::string& domain,
                                            Session& session) {
  std::vector<std::string> pins;
  for (const std::string& file : options.files) {
    auto certificate = service::certificate_from_file(file);
    if (!certificate) return pass(certificate);
    add_unique(pins, certificate->pin);
  }
  for (const std::string& text : options.pins) {
    auto pin = service::parse_pin(text);
    if (!pin) return pass(pin);
    add_unique(pins, *pin);
  }
  if (pins.empty()) {
    if (auto read = add_pin_of_server(domain, session, pins); !read) return pass(read);
  }
  return pins;
}

bool holds(const std::vector<std::string>& pins, const std::string& pin) {
  return std::find(pins.begin(), pins.end(), pin) != pins.end();
}

// nullopt for a domain that is new.
Result<std::optional<Present>> present(service::AdminClient& client, const std::string& domain) {
  auto answer = client.get(kApisPath);
  if (!answer) return pass(answer);
  const Json* apis = find_array(*answer, "apis");
  if (apis == nullptr) return fail(io::CliError::kBadAnswer, "the answer has no list of APIs");
  for (const Json& row : *apis) {
    if (find_string(row, "domain") != domain) continue;
    Present out;
    if (const Json* pins = find_array(row, "pins")) {
      for (const Json& pin : *pins) {
        if (pin.is_string()) out.pins.push_back(pin.get<std::string>());
      }
    }
    if (const Json* retiring = find_array(row, "retiring")) {
      for (const Json& one : *retiring) {
        out.retiring.emplace_back(find_string(one, "pin").value_or(""),
                                  get_int(one, "until", 0, kMaxUnixTime).value_or(0));
      }
    }
    return out;
  }
  return std::nullopt;
}

// The pins that the domain will have, and those that it loses.
struct Change {
  std::vector<std::string> pins;
  std::vector<std::string> dropped;
};

// The named pins first, the backup pins last. Without --backup-pin and --replace the backups that
// there are stay: all pins but the first, and the first too where the named ones were known.
Result<Change> change_of(const AddOptions& options, std::vector<std::string> named,
                         const std::optional<Present>& before) {
  Change out;
  const bool is_known =
      before && std::all_of(named.begin(), named.end(),
                            [&](const std::string& pin) { return holds(before->pins, pin); });
  out.pins = std::move(named);
  for (const std::string& text : options.backup_pins) {
    auto pin = service::parse_pin(text);
    if (!pin) return pass(pin);
    add_unique(out.pins, *pin);
  }
  if (!before) return out;
  for (std::size_t i = 0; i < before->pins.size(); ++i) {
    const bool stays = !options.replace && options.backup_pins.empty() && (i > 0 || is_known);
    if (stays) add_unique(out.pins, before->pins[i]);
    if (!holds(out.pins, before->pins[i])) out.dropped.push_back(before->pins[i]);
  }
  return out;
}

void show_change(const std::string& domain, const Present& before, const Change& change,
                 const std::string& overlap, Session& session) {
  session.console().note(domain + " is known:");
  for (const std::string& pin : change.pins) {
    session.console().note((holds(before.pins, pin) ? "  keeps  " : "  gains  ") + pin);
  }
  for (const auto& [pin, until] : before.retiring) {
    if (holds(change.pins, pin)) continue;
    session.console().note("  until " + io::local_time(from_unix(until)) + "  " + pin);
  }
  for (const std::string& pin : change.dropped) {
    session.console().note("  loses  " + pin + (overlap.empty() ? "" : " (after " + overlap + ")"));
  }
}

// Before a pin goes, a person or an option says so.
Result<void> confirm_loss(const AddOptions& options, const std::string& domain,
                          const Change& change, Session& session) {
  if (change.dropped.empty() || options.replace || options.yes || !options.overlap.empty()) {
    return {};
  }
  std::string lost;
  for (const std::string& pin : change.dropped) lost += (lost.empty() ? "" : ", ") + pin;
  if (session.console().interactive()) {
    const auto answer = session.console().ask(
        "Apps whose configuration is older then trust no other key. Drop what it loses? [y/N]",
        io::Echo::kShow);
    const std::string word = lower(io::trim(answer.value_or("")));
    if (word == "y" || word == "yes") return {};
    return fail(io::CliError::kNotConfirmed, "nothing was changed");
  }
  return fail(io::CliError::kNotConfirmed,
              fmt::format("{} would lose the pin {}; nothing was changed. Keep the old pins for a "
                          "time with --overlap 30d, or drop them with --yes",
                          domain, lost));
}

Outcome add(const AddOptions& options, Session& session) {
  auto domain = service::normalize_domain(options.domain);
  if (!domain) return pass(domain);
  auto client = session.connect();
  if (!client) return pass(client);
  Json body{{"domain", *domain}};
  if (!options.overlap.empty()) {
    auto overlap = parse_duration(options.overlap);
    if (!overlap) return pass(overlap);
    body["overlap"] = overlap->count();
  } else if (options.replace) {
    body["overlap"] = 0;  // what was on its way out goes now
  }
  if (!options.key_set.empty()) body["keyset"] = options.key_set;
  auto named = named_pins(options, *domain, session);
  if (!named) return pass(named);
  auto before = present(*client, *domain);
  if (!before) return pass(before);
  auto change = change_of(options, std::move(*named), *before);
  if (!change) return pass(change);
  if (*before && (!change->dropped.empty() || change->pins != (*before)->pins)) {
    show_change(*domain, **before, *change, options.overlap, session);
  }
  if (auto ok = confirm_loss(options, *domain, *change, session); !ok) return pass(ok);
  body["pins"] = change->pins;
  // What was looked at is what is changed: not what another operator made of it meanwhile.
  body["before"] = *before ? Json((*before)->pins) : Json(nullptr);
  auto answer = client->put(kApisPath, body);
  if (!answer) return pass(answer);
  const std::vector<std::string>* pins = &change->pins;
  if (pins->size() < 2) {
    session.console().note(
        "warning: there is no backup pin, so a lost or changed key locks every app out until it "
        "gets a newer configuration; add the pin of a spare key with --backup-pin");
  }
  if (session.json()) return print_json(session, *answer);
  for (const std::string& pin : *pins) session.console().print(fmt::format("pin {}", pin));
  auto version = get_int(*answer, "config_version", 0, INT64_MAX);
  session.console().print(fmt::format("{} {}, configuration version {}", *domain,
                                      *before ? "changed" : "added",
                                      version ? std::to_string(*version) : "?"));
  return io::kExitOk;
}

std::string pins_cell(const Json& row) {
  const Json* pins = find_array(row, "pins");
  if (pins == nullptr || pins->empty()) return "none: the platform's trust roots";
  std::string cell;
  for (const Json& pin : *pins) {
    if (!pin.is_string()) continue;
    cell += (cell.empty() ? "" : " ") + pin.get<std::string>();
  }
  if (const Json* retiring = find_array(row, "retiring")) {
    for (const Json& one : *retiring) {
      const auto until = get_int(one, "until", 0, kMaxUnixTime);
      cell += " " + find_string(one, "pin").value_or("?") + " (until " +
              (until ? io::local_time(from_unix(*until)) : "?") + ")";
    }
  }
  return cell;
}

Outcome list(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kApisPath);
  if (!answer) return pass(answer);
  const Json* apis = find_array(*answer, "apis");
  if (apis == nullptr) return fail(io::CliError::kBadAnswer, "the answer has no list of APIs");
  if (session.json()) return print_json(session, *answer);
  if (apis->empty()) {
    session.console().note("no API is protected yet; `touchmark api add api.example.com` does it");
    return io::kExitOk;
  }
  std::vector<std::vector<std::string>> rows{{"DOMAIN", "KEYSET", "PINS"}};
  for (const Json& row : *apis) {
    rows.push_back({find_string(row, "domain").value_or("?"),
                    find_string(row, "keyset").value_or("default"), pins_cell(row)});
  }
  session.console().print(io::table(rows));
  return io::kExitOk;
}

struct ApiCheckOptions {
  std::string domain;
  std::vector<std::string> resolve;
  bool strict = false;
};

Json shown_by_api(const doctor::Server& server) {
  if (!server.certificate) return nullptr;
  const service::ServedCertificate& shown = *server.certificate;
  return {{"pin", shown.pin},
          {"subject", shown.subject},
          {"address", shown.address},
          {"certificate_end", shown.not_after ? Json(to_unix(*shown.not_after)) : Json()},
          {"trust_problem", shown.trust_problem.empty() ? Json() : Json(shown.trust_problem)}};
}

Json checked_apis(const std::vector<doctor::Judged>& all, const doctor::Facts& facts) {
  Json apis = Json::array();
  for (const doctor::ApiFacts& api : *facts.apis) {
    const std::string& problem = api.server.problem;
    apis.push_back({{"domain", api.domain},
                    {"pins", api.pins},
                    {"shown", shown_by_api(api.server)},
                    {"problem", problem.empty() ? Json() : Json(problem)}});
  }
  Json out = doctor::to_json(all);
  out["apis"] = std::move(apis);
  return out;
}

Outcome check_apis(const ApiCheckOptions& options, Session& session) {
  std::string only;
  if (!options.domain.empty()) {
    auto domain = service::normalize_domain(options.domain);
    if (!domain) return pass(domain);
    only = *std::move(domain);
  }
  auto addresses = doctor::read_addresses(options.resolve);
  if (!addresses) return pass(addresses);
  const doctor::Question question{.addresses = *std::move(addresses)};
  const auto facts = doctor::gather_apis(question, only, session);
  if (!facts) return pass(facts);
  const auto all = doctor::judge(*facts, "api.");
  if (session.json()) {
    print_json(session, checked_apis(all, *facts));
  } else {
    doctor::print_text(all, session);
  }
  const doctor::Health health = doctor::worst(doctor::count(all));
  const bool is_bad =
      health == doctor::Health::kFail || (options.strict && health == doctor::Health::kWarn);
  return is_bad ? io::kExitNo : io::kExitOk;
}

Outcome remove(const std::string& text, Session& session) {
  auto domain = service::normalize_domain(text);
  if (!domain) return pass(domain);
  auto client = session.connect();
  if (!client) return pass(client);
  auto removed = client->remove(fmt::format("{}/{}", kApisPath, service::path_segment(*domain)));
  if (!removed) return pass(removed);
  if (session.json()) return print_json(session, {{"removed", *domain}});
  session.console().print("removed " + *domain);
  return io::kExitOk;
}

}  // namespace

void add_api_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "api", "Name the API servers that the app calls, and their pins");

  auto options = std::make_shared<AddOptions>();
  line::Command* add_app = group->add_subcommand("add", "Protect an API, or replace its pins");
  add_app->add_option("DOMAIN", options->domain, "api.example.com, or host:port")->required();
  add_app
      ->add_option(
          "--from-file", options->files,
          "Take the pin of a certificate, chain (its first), request or key, as PEM or DER; "
          "repeatable")
      ->type_name("FILE")
      ->default_text("the certificate that the server shows now")
      ->one_value_each();
  add_app->add_option("--pin", options->pins, "A pin: base64 of SHA-256 of the key; repeatable")
      ->type_name("PIN")
      ->default_text("that of the certificate")
      ->one_value_each();
  add_app
      ->add_option("--backup-pin", options->backup_pins,
                   "The pin of a spare key, beside those above; repeatable")
      ->type_name("PIN")
      ->one_value_each();
  add_app
      ->add_option(
          "--overlap", options->overlap,
          "Keep the pins that the domain loses for so long, such as 30d (default: they go at once)")
      ->type_name("DURATION");
  add_app
      ->add_option("--keyset", options->key_set,
                   "Sign the domain's tokens with this keyset (default: the one that it has)")
      ->type_name("NAME");
  add_app->add_flag("--replace", options->replace,
                    "Keep no pin of a known domain that is not named here");
  add_app->add_flag("--yes", options->yes, "Drop pins without being asked");
  add_app->footer(
      "Without --from-file and --pin the pin is read from the certificate that the server shows "
      "now. A known domain keeps its backup "
      "pins, unless --backup-pin or --replace says otherwise; before it loses a pin, you are asked."
      "\n\nExample:\n  touchmark api add api.example.com --backup-pin "
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  dispatcher.on(add_app, [options](Session& s) { return add(*options, s); });

  line::Command* list_app = group->add_subcommand("list", "List the protected APIs and their pins");
  dispatcher.on(list_app, list);

  auto checked = std::make_shared<ApiCheckOptions>();
  line::Command* check_app = group->add_subcommand(
      "check", "Compare the keys that apps pin with those that the servers show now");
  check_app->add_option("DOMAIN", checked->domain,
                        "As `touchmark api list` shows it (default: all of them)");
  check_app
      ->add_option("--resolve", checked->resolve,
                   "Look at this host's server at this IP address; repeatable "
                   "(default: the address that its name has here)")
      ->type_name("HOST=ADDRESS")
      ->one_value_each();
  check_app->add_flag("--strict", checked->strict, "Exit with 1 for warnings, too");
  check_app->footer(
      "The same as the lines api.answer, api.pins and api.certificate of `touchmark doctor`: that "
      "each server answers, shows a key that apps take, and when its certificate ends.\nExit "
      "status: 0 where nothing fails, else 1; with --strict 1 for a warning, too.\n\nExample:\n"
      "  touchmark api check api.example.com");
  dispatcher.on(check_app, [checked](Session& s) { return check_apis(*checked, s); });

  auto domain = std::make_shared<std::string>();
  line::Command* remove_app = group->add_subcommand("remove", "Stop protecting an API");
  remove_app->add_option("DOMAIN", *domain, "As `touchmark api list` shows it")->required();
  dispatcher.on(remove_app, [domain](Session& s) { return remove(*domain, s); });
}

}  // namespace touchmark::cli::commands
