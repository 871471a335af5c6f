// touchmark secret get
#include <fmt/format.h>

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/service/secret_variable.h"

namespace touchmark::cli::commands {
namespace {

struct GetOptions {
  std::string format = "base64";
  std::string output;
};

// As `token check --secret-file` and API servers read it.
std::string formatted(const Json& answer, const std::string& secret, const std::string& format) {
  if (format == "json") return dump_json(answer);
  return format == "env" ? fmt::format("{}={}", service::kSecretVariable, secret) : secret;
}

Outcome get(const GetOptions& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get("/admin/v1/secret");
  if (!answer) return pass(answer);
  auto secret = get_string(*answer, "secret");
  if (!secret) return fail(io::CliError::kBadAnswer, "the answer has no secret");
  if (!options.output.empty()) {
    const std::string text = formatted(*answer, *secret, options.format) + "\n";
    if (auto ok = write_file_atomic(options.output, as_bytes(text), 0600); !ok) return pass(ok);
    if (session.json()) return print_json(session, {{"file", options.output}});
    session.console().print(
        fmt::format("wrote {}, which its owner alone may read", options.output));
    return io::kExitOk;
  }
  if (session.json()) return print_json(session, *answer);
  session.console().print(formatted(*answer, *secret, options.format));
  return io::kExitOk;
}

}  // namespace

void add_secret_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "secret", "Fetch the secret that API servers check tokens with");
  auto options = std::make_shared<GetOptions>();
  line::Command* get_app =
      group->add_subcommand("get", "Print the token secret (needs an admin token)");
  get_app
      ->add_option("--format", options->format,
                   "base64, env (lines for an environment file) or json (default: base64)")
      ->one_of({"base64", "env", "json"})
      ->type_name("FORMAT");
  get_app
      ->add_option("--output", options->output,
                   "Write it to FILE, which its owner alone may read (mode 0600), in place of "
                   "printing it")
      ->type_name("FILE");
  get_app->footer("Example:\n  touchmark secret get --format env --output api-server.env");
  dispatcher.on(get_app, [options](Session& s) { return get(*options, s); });
}

}  // namespace touchmark::cli::commands
