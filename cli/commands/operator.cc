// touchmark operator add|list|revoke|whoami, touchmark whoami
#include <fmt/format.h>

#include "base/file.h"
#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/profile.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kOperatorsPath = "/admin/v1/operators";

struct AddOptions {
  std::string name;
  std::string role;
  std::string expire_after;
  std::vector<std::string> apps;
  std::string credentials_file;
};

std::string apps_cell(const Json& row) {
  const Json* apps = find_array(row, "apps");
  std::string cell;
  for (const Json& app : apps != nullptr ? *apps : Json::array()) {
    if (app.is_string()) cell += (cell.empty() ? "" : " ") + app.get<std::string>();
  }
  return cell.empty() ? "all" : cell;
}

// What `touchmark init --credentials` reads. Where the service is and by what it is known is what
// this operator's own profile says.
Result<void> write_credentials(const std::string& file, const Json& made,
                               const service::Endpoint& endpoint) {
  Json json{{"name", text_cell(made, "name")},
            {"role", text_cell(made, "role")},
            {"token", find_string(made, "token").value_or("")},
            {"url", endpoint.url}};
  if (!endpoint.pins.empty()) json["pins"] = endpoint.pins;
  return write_new_file(file, as_bytes(json.dump(2) + "\n"), 0600);
}

// A token that nobody will ever see is no use to anybody.
Error without_operator(const Error& error, const std::string& name, service::AdminClient& client) {
  const auto removed =
      client.remove(fmt::format("{}/{}", kOperatorsPath, service::path_segment(name)));
  return error.reworded(
      fmt::format("{}; {}", error.message(),
                  removed ? "no operator was made" : "revoke " + name + ", whose token is lost"));
}

void print_added(const AddOptions& options, const Json& made, Session& session) {
  io::Console& console = session.console();
  console.print(fmt::format("operator {} added (role {}, apps {}, expires {})",
                            text_cell(made, "name"), text_cell(made, "role"), apps_cell(made),
                            time_cell(made, "expires", "never")));
  if (!options.credentials_file.empty()) {
    console.print("wrote " + options.credentials_file + ", which `touchmark init --credentials` " +
                  "reads");
    return;
  }
  console.print("The token is shown once; `touchmark init` asks for it:\n  " +
                text_cell(made, "token"));
}

Outcome add(const AddOptions& options, Session& session) {
  Json body{{"name", options.name}, {"role", options.role}, {"apps", options.apps}};
  if (!options.expire_after.empty()) {
    const auto expire_after = parse_duration(options.expire_after);
    if (!expire_after) return pass(expire_after);
    body["expire_after"] = expire_after->count();
  }
  if (!options.credentials_file.empty()) {
    if (auto ok = check_new_file(options.credentials_file); !ok) return pass(ok);
  } else if (!session.console().prints_to_terminal()) {
    return fail(io::CliError::kUsage,
                "the new token would go into a pipe or a file that others may read; give "
                "--credentials-file FILE, which is written for its owner alone");
  }
  const auto endpoint = service::resolve_endpoint(session.environment(), session.profile());
  if (!endpoint) return pass(endpoint);
  service::AdminClient client = session.connect_to(*endpoint);
  auto made = client.post(kOperatorsPath, body);
  if (!made) return pass(made);
  if (find_string(*made, "token").value_or("").empty()) {
    return fail(io::CliError::kBadAnswer, "the answer has no token");
  }
  if (!options.credentials_file.empty()) {
    auto written = write_credentials(options.credentials_file, *made, *endpoint);
    if (!written) {
      return tl::unexpected<Error>(without_operator(written.error(), options.name, client));
    }
  }
  if (!session.json()) {
    print_added(options, *made, session);
    return io::kExitOk;
  }
  if (!options.credentials_file.empty()) {
    made->erase("token");
    (*made)["credentials_file"] = options.credentials_file;
  }
  return print_json(session, *made);
}

Outcome list(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kOperatorsPath);
  if (!answer) return pass(answer);
  const Json* operators = find_array(*answer, "operators");
  if (operators == nullptr) {
    return fail(io::CliError::kBadAnswer, "the answer has no list of operators");
  }
  if (session.json()) return print_json(session, *answer);
  std::vector<std::vector<std::string>> rows{{"NAME", "ROLE", "APPS", "ADDED", "BY", "EXPIRES"}};
  for (const Json& row : *operators) {
    rows.push_back({text_cell(row, "name"), text_cell(row, "role"), apps_cell(row),
                    time_cell(row, "created", "never"), text_cell(row, "created_by"),
                    expiry_cell(row)});
  }
  session.console().print(io::table(rows));
  return io::kExitOk;
}

Outcome revoke(const std::string& name, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto removed = client->remove(fmt::format("{}/{}", kOperatorsPath, service::path_segment(name)));
  if (!removed) return pass(removed);
  if (session.json()) return print_json(session, {{"revoked", name}});
  session.console().print(name + " is no operator any longer");
  return io::kExitOk;
}

Outcome whoami(Session& session) {
  const auto endpoint = service::resolve_endpoint(session.environment(), session.profile());
  if (!endpoint) return pass(endpoint);
  auto answer = session.connect_to(*endpoint).get("/admin/v1/whoami");
  if (!answer) return pass(answer);
  if (session.json()) {
    (*answer)["profile"] = session.profile();
    (*answer)["url"] = endpoint->url;
    return print_json(session, *answer);
  }
  std::string permissions;
  const Json* names = find_array(*answer, "permissions");
  for (const Json& name : names != nullptr ? *names : Json::array()) {
    if (name.is_string()) permissions += (permissions.empty() ? "" : " ") + name.get<std::string>();
  }
  session.console().print(io::table({{"name", text_cell(*answer, "name")},
                                     {"role", text_cell(*answer, "role")},
                                     {"apps", apps_cell(*answer)},
                                     {"expires", time_cell(*answer, "expires", "never")},
                                     {"service", endpoint->url},
                                     {"profile", session.profile()},
                                     {"may", permissions}}));
  return io::kExitOk;
}

void add_add_command(line::Command& group, Dispatcher& dispatcher) {
  auto options = std::make_shared<AddOptions>();
  line::Command* command =
      group.add_subcommand("add", "Make an operator and their token (needs an admin)");
  command
      ->add_option("NAME", options->name,
                   "What the audit log calls them: letters, digits and . _ @ + -")
      ->required();
  command->add_option("--role", options->role, "admin, developer, auditor, helpdesk or ci")
      ->one_of({"admin", "developer", "auditor", "helpdesk", "ci"})
      ->type_name("ROLE")
      ->required();
  command
      ->add_option("--expire-after", options->expire_after,
                   "How long the token lasts: 12h, 90d (default: forever)")
      ->type_name("DURATION");
  command
      ->add_option("--app", options->apps,
                   "Package name of the app that a ci token registers; repeatable")
      ->type_name("PACKAGE")
      ->one_value_each();
  command
      ->add_option("--credentials-file", options->credentials_file,
                   "New file for the token, for `touchmark init --credentials` (mode 0600); "
                   "without it the token is shown on the terminal")
      ->type_name("FILE");
  command->footer(
      "  admin      everything\n"
      "  developer  registers apps and signing certificates, fetches the SDK, checks tokens\n"
      "  auditor    reads everything but secrets\n"
      "  helpdesk   looks at devices, forces their verdicts, explains response codes\n"
      "  ci         registers the apps named by --app, and nothing else\n\n"
      "Example:\n  touchmark operator add ci-wallet --role ci --app com.example.wallet "
      "--expire-after 90d --credentials-file ci-wallet.json");
  dispatcher.on(command, [options](Session& s) { return add(*options, s); });
}

}  // namespace

void add_operator_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "operator", "Say who may do what with the service");
  add_add_command(*group, dispatcher);

  dispatcher.on(group->add_subcommand("list", "List the operators (needs an admin or auditor)"),
                list);

  auto name = std::make_shared<std::string>();
  line::Command* revoke_app =
      group->add_subcommand("revoke", "End an operator's token at once (needs an admin)");
  revoke_app->add_option("NAME", *name, "As `touchmark operator list` shows it")->required();
  dispatcher.on(revoke_app, [name](Session& s) { return revoke(*name, s); });

  dispatcher.on(group->add_subcommand("whoami", "Show who you are to the service"), whoami);
}

void add_whoami_command(line::Command& app, Dispatcher& dispatcher) {
  dispatcher.on(
      app.add_subcommand("whoami", "Show who you are to the service, and what you may do"), whoami);
}

}  // namespace touchmark::cli::commands
