// touchmark api add|list|remove
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.h"
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

// The named pins first, in the order of the options; the backup pins last.
Result<std::vector<std::string>> collect_pins(const AddOptions& options, const std::string& domain,
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
  for (const std::string& text : options.backup_pins) {
    auto pin = service::parse_pin(text);
    if (!pin) return pass(pin);
    add_unique(pins, *pin);
  }
  return pins;
}

Outcome add(const AddOptions& options, Session& session) {
  auto domain = service::normalize_domain(options.domain);
  if (!domain) return pass(domain);
  auto client = session.connect();
  if (!client) return pass(client);
  auto pins = collect_pins(options, *domain, session);
  if (!pins) return pass(pins);
  auto answer = client->put(kApisPath, {{"domain", *domain}, {"pins", *pins}});
  if (!answer) return pass(answer);
  if (pins->size() < 2) {
    session.console().note(
        "warning: there is no backup pin, so a lost or changed key locks every app out until it "
        "gets a newer configuration; add the pin of a spare key with --backup-pin");
  }
  if (session.json()) return print_json(session, *answer);
  for (const std::string& pin : *pins) session.console().print(fmt::format("pin {}", pin));
  auto version = get_int(*answer, "config_version", 0, INT64_MAX);
  session.console().print(fmt::format("{} added, configuration version {}", *domain,
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
  std::vector<std::vector<std::string>> rows{{"DOMAIN", "PINS"}};
  for (const Json& row : *apis) {
    rows.push_back({find_string(row, "domain").value_or("?"), pins_cell(row)});
  }
  session.console().print(io::table(rows));
  return io::kExitOk;
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
      ->add_option("--from-file", options->files,
                   "Take the pin of a PEM certificate, chain (its first) or key; repeatable")
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
  add_app->footer(
      "Without --from-file and --pin the pin is read from the certificate that the server shows "
      "now.\n\nExample:\n  touchmark api add api.example.com --backup-pin "
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  dispatcher.on(add_app, [options](Session& s) { return add(*options, s); });

  line::Command* list_app = group->add_subcommand("list", "List the protected APIs and their pins");
  dispatcher.on(list_app, list);

  auto domain = std::make_shared<std::string>();
  line::Command* remove_app = group->add_subcommand("remove", "Stop protecting an API");
  remove_app->add_option("DOMAIN", *domain, "As `touchmark api list` shows it")->required();
  dispatcher.on(remove_app, [domain](Session& s) { return remove(*domain, s); });
}

}  // namespace touchmark::cli::commands
