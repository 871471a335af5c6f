// touchmark token check|inspect|example
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/offline_check.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "crypto/jose.h"
#include "protocol/token_check.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxTokenBytes = 8U << 10;

struct CheckOptions {
  std::string token;
  std::string secret_file;
};

// The token of the command line, or of standard input for "-".
Result<std::string> read_token(const std::string& argument, Session& session) {
  if (argument != "-") return std::string(io::trim(argument));
  auto input = session.console().read_input(kMaxTokenBytes);
  if (!input) return pass(input);
  return std::string(io::trim(*input));
}

Result<TokenVerdict> ask_service(const std::string& token, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->post("/admin/v1/token/check", {{"token", token}});
  if (!answer) return pass(answer);
  auto status = get_string(*answer, "status");
  if (!status) return fail(io::CliError::kBadAnswer, "the answer has no token status");
  const Json* claims = find_object(*answer, "claims");
  return TokenVerdict{*status, claims == nullptr ? Json() : *claims};
}

void print_verdict(const TokenVerdict& verdict, const std::string& what, Session& session) {
  if (session.json()) {
    print_json(session, {{"status", verdict.status}, {"claims", verdict.claims}});
  } else {
    session.console().print(fmt::format("{}: {}", verdict.status, io::one_line(what)));
  }
}

Outcome check(const CheckOptions& options, Session& session) {
  auto token = read_token(options.token, session);
  if (!token) return pass(token);
  // What is no token at all needs no service to say so, and no secret.
  if (auto parsed = crypto::parse_jws(*token, kMaxTokenBytes); !parsed) {
    print_verdict({"malformed", nullptr}, parsed.error().message(), session);
    return io::kExitNo;
  }
  auto verdict = options.secret_file.empty()
                     ? ask_service(*token, session)
                     : check_offline(*token, options.secret_file, session.now());
  if (!verdict) return pass(verdict);
  const bool has_claims = !verdict->claims.is_null();
  print_verdict(*verdict, has_claims ? dump_json(verdict->claims) : "not a token of this service",
                session);
  return verdict->status == "valid" ? io::kExitOk : io::kExitNo;
}

// "in 4 min", "3 d ago".
std::string relative(std::int64_t seconds) {
  struct Unit {
    const char* name;
    std::int64_t size;
  };
  std::int64_t size = seconds < 0 ? -seconds : seconds;
  const char* name = "s";
  for (const Unit& unit : {Unit{"d", 86400}, Unit{"h", 3600}, Unit{"min", 60}}) {
    if (size < 2 * unit.size) continue;
    size /= unit.size;
    name = unit.name;
    break;
  }
  return seconds >= 0 ? fmt::format("in {} {}", size, name) : fmt::format("{} {} ago", size, name);
}

Outcome inspect(const std::string& argument, Session& session) {
  auto token = read_token(argument, session);
  if (!token) return pass(token);
  auto jws = crypto::parse_jws(*token, kMaxTokenBytes);
  if (!jws) {
    print_verdict({"malformed", nullptr}, jws.error().message(), session);
    return io::kExitNo;
  }
  if (session.json()) {
    return print_json(session, {{"header", jws->header}, {"claims", jws->payload}});
  }
  session.console().print("header " + dump_json(jws->header));
  session.console().print("claims " + dump_json(jws->payload));
  for (const char* name : {"iat", "nbf", "exp"}) {
    const auto time = protocol::numeric_date(jws->payload, name);
    if (!time || *time > static_cast<double>(kMaxUnixTime)) continue;
    const auto seconds = static_cast<std::int64_t>(*time);  // a fraction is not shown
    session.console().print(fmt::format("{}    {}, {}", name, io::local_time(from_unix(seconds)),
                                        relative(seconds - to_unix(session.now()))));
  }
  session.console().note("decoded only, not verified; `touchmark token check` verifies");
  return io::kExitOk;
}

struct ExampleOptions {
  std::string type;
  bool invalid = false;
};

Outcome example(const ExampleOptions& options, Session& session) {
  if (options.invalid && options.type == "valid") {
    return fail(io::CliError::kUsage, "--invalid and --type valid exclude each other");
  }
  const bool valid = !options.invalid && options.type != "invalid";
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->post("/admin/v1/token/example", {{"valid", valid}});
  if (!answer) return pass(answer);
  auto token = get_string(*answer, "token", kMaxTokenBytes);
  if (!token) return fail(io::CliError::kBadAnswer, "the answer has no token");
  if (session.json()) return print_json(session, *answer);
  session.console().print(*token);
  return io::kExitOk;
}

}  // namespace

void add_token_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "token", "Check, read and make tokens");

  auto options = std::make_shared<CheckOptions>();
  line::Command* check_app =
      group->add_subcommand("check", "Say whether a token is valid, and if not why");
  check_app->add_option("TOKEN", options->token, "The token, or - to read standard input")
      ->required();
  check_app
      ->add_option("--secret-file", options->secret_file,
                   "Check here, without the service, by a secret that `touchmark secret get` gave")
      ->type_name("FILE")
      ->default_text("the service checks");
  check_app->footer(
      "Prints one of, and exits with 0 only for the first:\n"
      "  valid      signed by the service after a passed attestation\n"
      "  invalid    signed by the service after a failed attestation\n"
      "  expired    was valid once\n"
      "  early      not valid yet: its nbf is to come\n"
      "  forged     not signed by this service\n"
      "  malformed  not a token, or signed by the service with an exp or nbf that is no time");
  dispatcher.on(check_app, [options](Session& s) { return check(*options, s); });

  auto token = std::make_shared<std::string>();
  line::Command* inspect_app =
      group->add_subcommand("inspect", "Show what a token says, unverified");
  inspect_app->add_option("TOKEN", *token, "The token, or - to read standard input")->required();
  dispatcher.on(inspect_app, [token](Session& s) { return inspect(*token, s); });

  auto example_options = std::make_shared<ExampleOptions>();
  line::Command* example_app =
      group->add_subcommand("example", "Make a token, to try an API server with");
  example_app
      ->add_option("--type", example_options->type,
                   "valid, which opens the API and needs an admin (default), or invalid, which a "
                   "failed attestation would get")
      ->one_of({"valid", "invalid"})
      ->type_name("TYPE");
  example_app->add_flag("--invalid", example_options->invalid, "The same as --type invalid");
  dispatcher.on(example_app,
                [example_options](Session& s) { return example(*example_options, s); });
}

}  // namespace touchmark::cli::commands
