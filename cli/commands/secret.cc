// touchmark secret get|rotate
#include <fmt/format.h>

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/commands/keyset.h"
#include "cli/io/error.h"
#include "cli/service/secret_variable.h"

namespace touchmark::cli::commands {
namespace {

struct GetOptions {
  std::string format = "base64";
  std::string output;
  std::string key_set = kDefaultKeySet;
};

// All secrets, as an API server's setting takes them: each alone, or behind its kid.
Result<std::string> setting_of(const Json& answer, const char* member) {
  const Json* secrets = find_array(answer, "secrets");
  std::string out;
  for (const Json& one : secrets != nullptr ? *secrets : Json::array()) {
    const auto kid = find_string(one, "kid");
    const auto secret = find_string(one, member);
    if (!kid || !secret) break;
    out += (out.empty() ? "" : ",") + (kid->empty() ? "" : *kid + ":") + *secret;
  }
  if (!out.empty()) return out;
  // Of a service that had one secret.
  auto secret = get_string(answer, member);
  if (!secret) return fail(io::CliError::kBadAnswer, "the answer has no secret");
  return secret;
}

// As `token check --secret-file` and API servers read it.
std::string formatted(const Json& answer, const std::string& secret, const std::string& format) {
  if (format == "json") return dump_json(answer);
  return format == "env" ? fmt::format("{}={}", service::kSecretVariable, secret) : secret;
}

Outcome get(const GetOptions& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  const std::string path =
      options.key_set == kDefaultKeySet
          ? "/admin/v1/secret"
          : "/admin/v1/secret?keyset=" + service::path_segment(options.key_set);
  auto answer = client->get(path);
  if (!answer) return pass(answer);
  auto secret = setting_of(*answer, "secret");
  if (!secret) return pass(secret);
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
      add_group(app, "secret", "Fetch and change the secret that API servers check tokens with");
  auto options = std::make_shared<GetOptions>();
  line::Command* get_app =
      group->add_subcommand("get", "Print the token secrets (needs an admin token)");
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
  get_app->add_option("--keyset", options->key_set, "Of this keyset")
      ->type_name("NAME")
      ->show_default();
  get_app->footer("Example:\n  touchmark secret get --format env --output api-server.env");
  dispatcher.on(get_app, [options](Session& s) { return get(*options, s); });

  auto rotated = std::make_shared<RotateOptions>();
  line::Command* rotate_app =
      group->add_subcommand("rotate", "Change the token secret without refusing anybody");
  rotate_app->add_flag("--promote", rotated->promote,
                       "Sign with the next secret from now on; API servers know it by then");
  rotate_app->footer(
      "The same as `touchmark keyset rotate` and `touchmark keyset promote` of the keyset "
      "default:\n"
      "  touchmark secret rotate             makes the next secret\n"
      "  touchmark secret get --format env   has both, for all API servers\n"
      "  touchmark secret rotate --promote   signs with the next one\n"
      "  touchmark keyset remove default --kid KID   when the old one's tokens have expired\n"
      "The secret of failed attestations' tokens is derived from each, and changes with it.");
  dispatcher.on(rotate_app, [rotated](Session& s) { return rotate_key_set(*rotated, s); });
}

}  // namespace touchmark::cli::commands
