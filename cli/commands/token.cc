// touchmark token check|inspect|example|try|long-lived
#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/commands/keyset.h"
#include "cli/commands/offline_check.h"
#include "cli/commands/token_try.h"
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
  std::string key_set = kDefaultKeySet;
  std::string kind;
  ApiOptions api;
};

Outcome print_token(const std::string& token, Session& session) {
  if (session.json()) return print_json(session, {{"token", token}});
  session.console().print(token);
  return io::kExitOk;
}

// Made here, by the secret.
Outcome example_of_kind(const ExampleOptions& options, Session& session) {
  const std::vector<TokenKind> kinds = token_kinds();
  const TokenKind* kind = find_token_kind(kinds, options.kind);
  if (kind == nullptr) {
    std::string names;
    for (const TokenKind& one : kinds) names += (names.empty() ? "" : ", ") + std::string(one.name);
    return fail(io::CliError::kUsage, fmt::format("\"{}\" is no kind of token: use one of {}",
                                                  io::one_line(options.kind), names));
  }
  auto api = tried_api(options.api, session);
  if (!api) return pass(api);
  SystemRandom random;
  const auto token = kind->token(*api, session.now(), random);
  if (!token) {
    return fail(io::CliError::kUsage, "a request of this kind has no token to print");
  }
  return print_token(*token, session);
}

Outcome example(const ExampleOptions& options, Session& session) {
  if (!options.kind.empty()) return example_of_kind(options, session);
  if (options.invalid && options.type == "valid") {
    return fail(io::CliError::kUsage, "--invalid and --type valid exclude each other");
  }
  const bool valid = !options.invalid && options.type != "invalid";
  auto client = session.connect();
  if (!client) return pass(client);
  Json body{{"valid", valid}};
  if (options.key_set != kDefaultKeySet) body["keyset"] = options.key_set;
  auto answer = client->post("/admin/v1/token/example", body);
  if (!answer) return pass(answer);
  auto token = get_string(*answer, "token", kMaxTokenBytes);
  if (!token) return fail(io::CliError::kBadAnswer, "the answer has no token");
  return print_token(*token, session);
}

// --- Long-lived tokens ---------------------------------------------------------------------------

constexpr const char* kLongLivedPath = "/admin/v1/token/long-lived";

struct LongLivedOptions {
  std::string name;
  std::string expire_after = "90d";
  std::string output;
};

Outcome add_long_lived(const LongLivedOptions& options, Session& session) {
  const auto lifetime = parse_duration(options.expire_after);
  if (!lifetime) return pass(lifetime);
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer =
      client->post(kLongLivedPath, {{"name", options.name}, {"lifetime", lifetime->count()}});
  if (!answer) return pass(answer);
  auto token = get_string(*answer, "token", kMaxTokenBytes);
  if (!token) return fail(io::CliError::kBadAnswer, "the answer has no token");
  if (!options.output.empty()) {
    if (auto ok = write_file_atomic(options.output, as_bytes(*token + "\n"), 0600); !ok) {
      return pass(ok);
    }
    if (session.json()) return print_json(session, {{"file", options.output}});
    session.console().print(
        fmt::format("wrote {}, which its owner alone may read", options.output));
    return io::kExitOk;
  }
  if (session.json()) return print_json(session, *answer);
  session.console().print(*token);
  session.console().note(
      fmt::format("It is shown once, and ends {}. API servers need "
                  "TOUCHMARK_JWKS to take it",
                  time_cell(*answer, "expires")));
  return io::kExitOk;
}

Outcome list_long_lived(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kLongLivedPath);
  if (!answer) return pass(answer);
  const Json* tokens = find_array(*answer, "tokens");
  if (tokens == nullptr) return fail(io::CliError::kBadAnswer, "the answer has no list of tokens");
  if (session.json()) return print_json(session, *answer);
  if (tokens->empty()) {
    session.console().note("there is no long-lived token");
    return io::kExitOk;
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "KID", "EXPIRES", "MADE", "BY"}};
  for (const Json& row : *tokens) {
    rows.push_back({text_cell(row, "name"), text_cell(row, "kid"), expiry_cell(row),
                    time_cell(row, "made"), text_cell(row, "made_by")});
  }
  session.console().print(io::table(rows));
  return io::kExitOk;
}

Outcome revoke_long_lived(const std::string& name, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto done = client->remove(fmt::format("{}/{}", kLongLivedPath, service::path_segment(name)));
  if (!done) return pass(done);
  if (session.json()) return print_json(session, {{"revoked", name}});
  session.console().print(fmt::format(
      "revoked {}; API servers take it until they read the JWKS again, within ten minutes",
      io::one_line(name)));
  return io::kExitOk;
}

void add_long_lived_commands(line::Command& token, Dispatcher& dispatcher) {
  line::Command* group = add_group(
      token, "long-lived", "Tokens for servers of yours, which run no app; listed and revocable");
  auto options = std::make_shared<LongLivedOptions>();
  line::Command* add_app = group->add_subcommand("add", "Make one, which is shown once");
  add_app->add_option("NAME", options->name, "Who has it: 1 to 32 of a-z, 0-9 and -")->required();
  add_app->add_option("--expire-after", options->expire_after, "Such as 90d or 12h")
      ->type_name("DURATION")
      ->show_default();
  add_app
      ->add_option("--output", options->output,
                   "Write it to FILE, which its owner alone may read, in place of printing it")
      ->type_name("FILE");
  add_app->footer(
      "It is signed with a key of its own, which API servers find in the service's JWKS until the "
      "token ends or is revoked.");
  dispatcher.on(add_app, [options](Session& s) { return add_long_lived(*options, s); });
  dispatcher.on(group->add_subcommand("list", "List them"), list_long_lived);
  auto name = std::make_shared<std::string>();
  line::Command* revoke_app = group->add_subcommand("revoke", "End one");
  revoke_app->add_option("NAME", *name, "As `touchmark token long-lived list` shows it")
      ->required();
  dispatcher.on(revoke_app, [name](Session& s) { return revoke_long_lived(*name, s); });
}

// `options` as long as the command.
void add_api_options(line::Command& command, ApiOptions& options) {
  command
      .add_option("--secret-file", options.secret_file,
                  "The secrets that `touchmark secret get` gave")
      ->type_name("FILE")
      ->default_text("the service gives them");
  command
      .add_option("--bind", options.bound,
                  "A binding header and its value, such as \"Authorization: Bearer abc\"; "
                  "repeatable, in the order of the API's setting")
      ->type_name("HEADER")
      ->one_value_each();
  command.add_option("--audience", options.audience, "What the API wants in aud")
      ->type_name("AUDIENCE");
  command.add_option("--issuer", options.issuer, "What the API wants in iss")->type_name("ISSUER");
  command.add_option("--level", options.level, "The level that the API wants, such as tee")
      ->one_of({"software", "platform", "tee", "secure-chip"})
      ->type_name("LEVEL");
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
  example_app->add_option("--keyset", example_options->key_set, "Signed with this keyset")
      ->type_name("NAME")
      ->show_default();
  example_app
      ->add_option("--kind", example_options->kind,
                   "Of this kind, such as expired, early, forged, decoy or unbound: any that "
                   "`touchmark token try` sends; made here, by the secret")
      ->type_name("KIND");
  add_api_options(*example_app, example_options->api);
  dispatcher.on(example_app,
                [example_options](Session& s) { return example(*example_options, s); });

  auto tried = std::make_shared<TryOptions>();
  line::Command* try_app = group->add_subcommand(
      "try", "Send every kind of token to an API, and see what it makes of each");
  try_app->add_option("URL", tried->url, "A resource of the API that needs a token")->required();
  try_app->add_option("--method", tried->method, "Of the requests")
      ->type_name("METHOD")
      ->show_default();
  try_app->add_option("--header", tried->api.header, "The header that the token goes in")
      ->type_name("NAME")
      ->show_default();
  try_app->add_option("--prefix", tried->api.prefix, "What stands before it there, as \"Bearer \"")
      ->type_name("PREFIX");
  add_api_options(*try_app, tried->api);
  try_app->add_option("--ca", tried->ca, "CA certificates to trust, as PEM")
      ->type_name("FILE")
      ->default_text("the system's");
  try_app
      ->add_option("--format", tried->format,
                   "Write the requests to --output, as an .http file or a Postman collection, and "
                   "send nothing")
      ->one_of({"http", "postman"})
      ->type_name("FORMAT");
  try_app->add_option("--output", tried->output, "The file for --format")->type_name("FILE");
  try_app->footer(
      "Sends real requests, one of each kind: use a resource that may be asked for. A check is "
      "right when it serves the first alone, and answers each of the others with 401 and {}.\n"
      "Exit status: 0 where all are right, else 1.\n\nExample:\n"
      "  touchmark token try https://api.example.com/v2/rates --bind \"Authorization: Bearer "
      "abc\"");
  dispatcher.on(try_app, [tried](Session& s) { return try_tokens(*tried, s); });

  add_long_lived_commands(*group, dispatcher);
}

}  // namespace touchmark::cli::commands
