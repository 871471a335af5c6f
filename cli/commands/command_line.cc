#include "cli/commands/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/commands/package/package.h"
#include "cli/gateway/gateway.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/line/legacy_form.h"
#include "cli/serve/serve.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kFooter =
    "Environment: TOUCHMARK_URL, TOUCHMARK_TOKEN and TOUCHMARK_PIN override the profile, "
    "TOUCHMARK_PROFILE chooses it,\n"
    "TOUCHMARK_HOME moves the folder that profiles are in. `touchmark serve` takes each of its "
    "options from it, too.\n\n"
    "Every command takes --json, --profile NAME and --timeout SECONDS too. The single-dash "
    "spelling\n"
    "(touchmark registration -add app.apk -expireAfter 600s) works for every command of a "
    "group.\n\n"
    "Start here:\n"
    "  touchmark serve --data ./touchmark-data --public-url https://attest.example.com:8443\n"
    "  touchmark init https://attest.example.com:8443 --pin PIN\n"
    "  touchmark registration add app-release.apk";

using AddCommand = void (*)(line::Command&, Dispatcher&);

// In the order of --help: what a newcomer needs first.
// clang-format off
constexpr auto kCommands = std::to_array<AddCommand>({
    add_init_command,
    add_status_command,
    add_doctor_command,
    add_ready_command,
    add_whoami_command,
    add_sdk_commands,
    add_registration_commands,
    add_api_commands,
    add_pin_command,
    add_service_commands,
    add_token_commands,
    add_secret_commands,
    add_keyset_commands,
    add_policy_commands,
    add_device_commands,
    add_log_command,
    add_package_command,
    add_evidence_commands,
    add_arc_commands,
    add_operator_commands,
    add_audit_commands,
    add_backup_command,
    add_restore_command,
    add_help_command,
    add_completion_command,
    add_man_command,
    add_version_command,
    add_complete_command,
});
// clang-format on

void add_global_options(CommandLine& line) {
  line::Command& app = line.root.command();
  app.add_flag("--json", line.options.json, "Answer, and report errors, as one line of JSON");
  app.add_option("--profile", line.options.profile, "Use this profile")
      ->type_name("NAME")
      ->default_text("TOUCHMARK_PROFILE, else default");
  app.add_option("--timeout", line.options.timeout_seconds,
                 "How long to wait for a connection, or while nothing moves")
      ->range(1, 3600)
      ->type_name("SECONDS")
      ->show_default();
}

int report(const Error& error, bool json, io::Console& console) {
  console.note(json ? io::describe_json(error) : io::describe(error));
  return io::classify(error).exit_code;
}

bool asks_for_json(const std::vector<std::string>& args) {
  return std::find(args.begin(), args.end(), "--json") != args.end();
}

// Where there is nothing that --json could make JSON of; nullopt where there is.
std::optional<std::string> no_json(const std::vector<std::string>& args,
                                   const line::Parsed& parsed) {
  if (!asks_for_json(args)) return std::nullopt;
  if (parsed.kind == line::Parsed::Kind::kText) {
    return "--help and --version answer with text, which is no JSON; leave --json out";
  }
  return std::nullopt;
}

int execute(CommandLine& line, World& world) {
  Session session(world, line.options);
  const Handler& handler = line.dispatcher.chosen();
  if (!handler) return line.exit_code;
  Outcome outcome = handler(session);
  auto flushed = world.console.flush();
  if (!outcome) return report(outcome.error(), line.options.json, world.console);
  if (!flushed) return report(flushed.error(), line.options.json, world.console);
  session.follow_pins();
  return *outcome;
}

}  // namespace

namespace {

// Beside each Unix time its text: "expires" gets "expires_rfc3339". What is read back as it is
// (facts, measurements) and what is signed (claims) stays so.
Json with_time_texts(const Json& json) {
  static constexpr std::string_view kTimes[] = {
      "time", "created", "expires", "first_start", "last_seen", "confirmed", "certificate_end"};
  static constexpr std::string_view kKept[] = {"facts", "measurement", "claims", "header"};
  if (json.is_array()) {
    Json out = Json::array();
    for (const Json& one : json) out.push_back(with_time_texts(one));
    return out;
  }
  if (!json.is_object()) return json;
  Json out = Json::object();
  for (const auto& [name, value] : json.items()) {
    const bool kept = std::ranges::find(kKept, name) != std::end(kKept);
    out[name] = kept ? value : with_time_texts(value);
    const auto time = get_int(json, name.c_str(), 0, kMaxUnixTime);
    if (time && std::ranges::find(kTimes, name) != std::end(kTimes)) {
      std::string text = format_time(from_unix(*time)) + "Z";
      text[text.find(' ')] = 'T';
      out[name + "_rfc3339"] = std::move(text);
    }
  }
  return out;
}

}  // namespace

io::ExitCode print_json(Session& session, const Json& json) {
  session.console().print(io::json_line(with_time_texts(json)));
  return io::kExitOk;
}

std::unique_ptr<CommandLine> make_command_line() {
  auto line = std::make_unique<CommandLine>();
  line::Command& app = line->root.command();
  app.footer(kFooter);
  app.require_subcommand();
  add_global_options(*line);
  serve::add_serve_command(app, line->exit_code, line->options.json);
  gateway::add_gateway_command(app, line->exit_code, line->options.json);
  for (const AddCommand add : kCommands) add(app, line->dispatcher);
  return line;
}

int run(const std::vector<std::string>& args, World& world) {
  const auto line = make_command_line();
  const std::vector<std::string> modern = line::translate_article_form(line->root.app(), args);
  if (modern.empty()) {
    world.console.note(line->root.help());
    return io::kExitUsage;
  }
  const auto refuse = [&](const std::string& why) {
    return report(Error(io::CliError::kUsage, why), asks_for_json(modern), world.console);
  };
  if (const auto why = line::without_counterpart(args)) return refuse(*why);
  const line::Parsed parsed = line->root.parse(modern);
  if (parsed.kind == line::Parsed::Kind::kWrong) {
    return refuse(parsed.text);
  }
  if (const auto why = no_json(modern, parsed)) return refuse(*why);
  if (parsed.kind == line::Parsed::Kind::kText) world.console.print(parsed.text);
  return execute(*line, world);
}

}  // namespace touchmark::cli::commands
