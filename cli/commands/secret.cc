// touchmark secret get
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/service/secret_variable.h"

namespace touchmark::cli::commands {
namespace {

Outcome get(const std::string& format, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get("/admin/v1/secret");
  if (!answer) return pass(answer);
  auto secret = get_string(*answer, "secret");
  if (!secret) return fail(io::CliError::kBadAnswer, "the answer has no secret");
  if (session.json() || format == "json") return print_json(session, *answer);
  if (format == "env") {
    session.console().print(fmt::format("{}={}", service::kSecretVariable, *secret));
  } else {
    session.console().print(*secret);
  }
  return io::kExitOk;
}

}  // namespace

void add_secret_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "secret", "Fetch the secret that API servers check tokens with");
  auto format = std::make_shared<std::string>("base64");
  line::Command* get_app =
      group->add_subcommand("get", "Print the token secret (needs an admin token)");
  get_app
      ->add_option("--format", *format,
                   "base64, env (lines for an environment file) or json (default: base64)")
      ->one_of({"base64", "env", "json"})
      ->type_name("FORMAT");
  get_app->footer("Example:\n  touchmark secret get --format env > api-server.env");
  dispatcher.on(get_app, [format](Session& s) { return get(*format, s); });
}

}  // namespace touchmark::cli::commands
