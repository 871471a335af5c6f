// touchmark service key status|next|promote|cancel
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/pin.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kKeysPath = "/admin/v1/service-keys";

// The pin itself, or that of the key, request or certificate in a file.
Result<std::string> pin_named(const std::string& name) {
  std::error_code error;
  if (std::filesystem::exists(name, error)) {
    auto read = service::certificate_from_file(name);
    if (!read) return pass(read);
    return read->pin;
  }
  return service::parse_pin(name);
}

void print_state(const Json& state, Session& session) {
  std::vector<std::vector<std::string>> rows;
  const Json* next = find_object(state, "next");
  const std::string next_pin = next == nullptr ? "" : text_cell(*next, "pin");
  const Json* pins = find_array(state, "pins");
  const bool behind_proxy = state.value("behind_proxy", Json(false)) == Json(true);
  for (std::size_t i = 0; pins != nullptr && i < pins->size(); ++i) {
    const Json& pin = (*pins)[i];
    if (!pin.is_string() || pin == Json(next_pin)) continue;
    rows.push_back(
        {i == 0 && !behind_proxy ? "served" : "also", io::one_line(pin.get<std::string>())});
  }
  if (next != nullptr) {
    const bool kept_here = next->value("kept_here", Json(false)) == Json(true);
    rows.push_back({"next", next_pin});
    rows.push_back({"announced", fmt::format("{} by {}", time_cell(*next, "announced"),
                                             text_cell(*next, "announced_by"))});
    rows.push_back({"private key", kept_here ? "in the service's data folder"
                                             : "yours to keep; the service does not have it"});
  } else {
    rows.push_back({"next", "none: `touchmark service key next` announces one"});
  }
  if (const Json* devices = find_object(state, "devices"); devices != nullptr && next != nullptr) {
    const auto seen = get_int(*devices, "seen", 0, INT64_MAX).value_or(0);
    const auto know_it = get_int(*devices, "know_it", 0, INT64_MAX).value_or(0);
    rows.push_back({"known to", seen == 0
                                    ? "no device has passed in the last 30 days"
                                    : fmt::format("{} of {} devices ({} %) that passed in the "
                                                  "last 30 days",
                                                  know_it, seen, 100 * know_it / seen)});
  }
  session.console().print(io::table(rows));
}

Outcome show(const Result<Json>& state, Session& session) {
  if (!state) return pass(state);
  // The next connection may meet another of them.
  session.keep_pins(announced_pins(*state, "pins"));
  if (session.json()) return print_json(session, *state);
  print_state(*state, session);
  return io::kExitOk;
}

Outcome key_status(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  return show(client->get(kKeysPath), session);
}

Outcome next(const std::string& name, Session& session) {
  Json body = Json::object();
  if (!name.empty()) {
    auto pin = pin_named(name);
    if (!pin) return pass(pin);
    body["pin"] = *pin;
  }
  auto client = session.connect();
  if (!client) return pass(client);
  auto state = client->put(fmt::format("{}/next", kKeysPath), body);
  auto shown = show(state, session);
  if (shown && !session.json()) {
    session.console().note(
        "Apps get it with their next token. `touchmark service key status` counts those that have "
        "shown that they know it; then `touchmark service key promote`.");
  }
  return shown;
}

Outcome promote(bool anyway, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto shown =
      show(client->post(fmt::format("{}/promote", kKeysPath), {{"anyway", anyway}}), session);
  if (shown && !session.json()) session.console().note("New connections are met with it.");
  return shown;
}

Outcome cancel(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  if (auto ok = client->remove(fmt::format("{}/next", kKeysPath)); !ok) return pass(ok);
  if (session.json()) return print_json(session, {{"next", nullptr}});
  session.console().print("apps are told of no next key any longer");
  return io::kExitOk;
}

}  // namespace

void add_service_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "service", "Change what the service itself is known by");
  line::Command* key = add_group(*group, "key", "Change the service's TLS key without a lockout");
  dispatcher.on(
      key->add_subcommand("status", "Show the keys that apps are told, and who knows them"),
      key_status);

  auto name = std::make_shared<std::string>();
  line::Command* next_app =
      key->add_subcommand("next", "Tell apps of the next key, before it is served");
  next_app->add_option("KEY", *name,
                       "Pin of the next key, or a file with the key, its certificate or a request "
                       "(CSR), where the service is given --cert and --key or is behind a proxy; "
                       "the private key stays where it is. Without it the service makes the key");
  next_app->footer(
      "Examples:\n"
      "  touchmark service key next\n"
      "  touchmark service key next new-key.pem");
  dispatcher.on(next_app, [name](Session& s) { return next(*name, s); });

  auto anyway = std::make_shared<bool>(false);
  line::Command* promote_app =
      key->add_subcommand("promote", "Serve with the next key, once apps know it");
  promote_app->add_flag("--anyway", *anyway,
                        "Though devices in use have not shown that they know it");
  promote_app->footer(
      "Where the service is given --cert and --key, put the next key and its certificate there "
      "first.\nThe service reads them again, as it does for SIGHUP.");
  dispatcher.on(promote_app, [anyway](Session& s) { return promote(*anyway, s); });

  dispatcher.on(key->add_subcommand("cancel", "Tell apps of the next key no longer"), cancel);
}

}  // namespace touchmark::cli::commands
