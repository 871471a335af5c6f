// touchmark policy show|set|canary: the policy of the service.
#include <fmt/format.h>

#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/commands/policy/dry_run.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "verifier/policy/presets.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kPolicyPath = "/admin/v1/policy";
constexpr const char* kCanaryPath = "/admin/v1/policy/canary";

std::string count(const Json& json, const char* name) {
  auto number = get_int(json, name, 0, INT64_MAX);
  return number ? std::to_string(*number) : "?";
}

std::string canary_line(const Json& canary) {
  return fmt::format(
      "candidate: {} % of the devices since {} by {}; {} appraisals, {} newly failing, {} "
      "newly "
      "passing",
      count(canary, "percent"), time_cell(canary, "time"),
      find_string(canary, "actor").value_or("?"), count(canary, "appraisals"),
      count(canary, "newly_failing"), count(canary, "newly_passing"));
}

std::string findings_table(const Json& findings) {
  std::vector<std::vector<std::string>> rows{{"FINDING", "ACTION", "RULE"}};
  for (const auto& [id, finding] : findings.items()) {
    rows.push_back({io::one_line(id), find_string(finding, "action").value_or("?"),
                    rule_text(finding.value("rule", Json()))});
  }
  return io::table(rows);
}

Outcome show(bool toml, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kPolicyPath);
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  const auto text = find_string(*answer, "text");
  const Json* findings = find_object(*answer, "findings");
  if (!text || findings == nullptr)
    return fail(io::CliError::kBadAnswer, "the answer has no policy");
  if (toml) {
    // print() ends the last line itself.
    session.console().print(text->ends_with('\n') ? text->substr(0, text->size() - 1) : *text);
    return io::kExitOk;
  }
  session.console().print(fmt::format("revision {}, set {} by {}", count(*answer, "revision"),
                                      time_cell(*answer, "time"),
                                      find_string(*answer, "actor").value_or("?")));
  if (const Json* canary = find_object(*answer, "canary")) {
    session.console().print(canary_line(*canary));
  }
  if (const Json* settings = find_object(*answer, "settings")) {
    for (const char* name : {"channel_binding", "allow_host_builds", "reveal_reasons"}) {
      const Json value = settings->value(name, Json());
      session.console().print(fmt::format(
          "{}: {}", name,
          io::one_line(value.is_string() ? value.get<std::string>() : dump_json(value))));
    }
  }
  session.console().print(findings_table(*findings));
  session.console().note("`touchmark policy show --toml` prints the document itself");
  return io::kExitOk;
}

// The revision of the policy that the service has now.
Result<std::int64_t> current_revision(service::AdminClient& client) {
  auto answer = client.get(kPolicyPath);
  if (!answer) return pass(answer);
  auto revision = get_int(*answer, "revision", 0, INT64_MAX);
  if (!revision) return fail(io::CliError::kBadAnswer, "the answer has no revision");
  return revision;
}

// What the service says beside what was said of the document here.
void print_service_warnings(const Json& answer, Session& session) {
  const Json* warnings = find_array(answer, "warnings");
  for (const Json& warning : warnings != nullptr ? *warnings : Json::array()) {
    if (!warning.is_object() || warning.value("line", 1) != 0) continue;
    session.console().note("warning: " +
                           io::one_line(find_string(warning, "message").value_or("?")));
  }
}

struct SetOptions {
  std::string file;
  unsigned canary = 0;
  std::int64_t revision = -1;
};

Outcome set(const SetOptions& options, Session& session) {
  auto text = read_policy_file(options.file);
  if (!text) return pass(text);
  const verifier::policy::Document document = verifier::policy::parse_document(*text);
  if (!check_document(options.file, document, session)) {
    return fail(io::CliError::kBadPolicy,
                fmt::format("{} is not a valid policy; the one in force stays", options.file));
  }
  auto client = session.connect();
  if (!client) return pass(client);
  Result<std::int64_t> revision = options.revision;
  if (options.revision < 0) revision = current_revision(*client);
  if (!revision) return pass(revision);
  Json body{{"text", *text}, {"revision", *revision}};
  if (options.canary != 0) body["canary"] = options.canary;
  auto answer = client->put(kPolicyPath, body);
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  const std::string made = count(*answer, "revision");
  session.console().print(
      options.canary == 0
          ? fmt::format("policy in force, revision {}", made)
          : fmt::format("candidate for {} % of the devices, revision {}", options.canary, made));
  note_demand(*answer, session);
  print_service_warnings(*answer, session);
  return io::kExitOk;
}

Outcome presets(const std::string& name, Session& session) {
  if (name.empty()) {
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{{"PRESET", "WHOM IT LETS IN"}};
    for (const verifier::policy::Preset& preset : verifier::policy::presets()) {
      list.push_back({{"name", preset.name}, {"summary", preset.summary}});
      rows.push_back({std::string(preset.name), std::string(preset.summary)});
    }
    if (session.json()) return print_json(session, {{"presets", list}});
    session.console().print(io::table(rows));
    session.console().note("`touchmark policy presets NAME` prints one, for `policy set`");
    return io::kExitOk;
  }
  const verifier::policy::Preset* preset = verifier::policy::find_preset(name);
  if (preset == nullptr) {
    std::string names;
    for (const verifier::policy::Preset& one : verifier::policy::presets()) {
      names += (names.empty() ? "" : ", ") + std::string(one.name);
    }
    return fail(io::CliError::kUsage,
                fmt::format("no preset is called {}; there are {}", io::one_line(name), names));
  }
  if (session.json()) {
    return print_json(
        session,
        {{"name", preset->name}, {"summary", preset->summary}, {"text", preset->document}});
  }
  // print() ends the last line itself.
  session.console().print(std::string(preset->document.substr(0, preset->document.size() - 1)));
  return io::kExitOk;
}

Outcome canary_status(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(kPolicyPath);
  if (!answer) return pass(answer);
  const Json* canary = find_object(*answer, "canary");
  if (session.json()) {
    return print_json(session, {{"canary", canary == nullptr ? Json() : *canary}});
  }
  session.console().print(canary == nullptr ? "no candidate is being rolled out"
                                            : canary_line(*canary));
  return io::kExitOk;
}

Outcome end_canary(const char* action, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto revision = current_revision(*client);
  if (!revision) return pass(revision);
  auto answer = client->post(kCanaryPath, {{"action", action}, {"revision", *revision}});
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  const bool promoted = std::string_view(action) == "promote";
  session.console().print(
      fmt::format("{}, revision {}",
                  promoted ? "the candidate is in force for all devices" : "the candidate is gone",
                  count(*answer, "revision")));
  return io::kExitOk;
}

void add_canary(line::Command& group, Dispatcher& dispatcher) {
  line::Command* canary = add_group(group, "canary", "Follow and end the roll-out of a candidate");
  dispatcher.on(canary->add_subcommand("status", "Show the candidate and what it changed so far"),
                canary_status);
  dispatcher.on(canary->add_subcommand("promote", "Put the candidate into force for all devices"),
                [](Session& s) { return end_canary("promote", s); });
  dispatcher.on(canary->add_subcommand("abort", "Take the candidate back"),
                [](Session& s) { return end_canary("abort", s); });
}

}  // namespace

void add_policy_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "policy", "Say what the service accepts, and try it out");
  auto toml = std::make_shared<bool>(false);
  line::Command* show_app = group->add_subcommand("show", "Show the appraisal policy in force");
  show_app->add_flag("--toml", *toml, "Print the document itself");
  dispatcher.on(show_app, [toml](Session& s) { return show(*toml, s); });

  auto preset = std::make_shared<std::string>();
  line::Command* presets_app =
      group->add_subcommand("presets", "List the policies that Touchmark comes with, or print one");
  presets_app->add_option("NAME", *preset, "strict, compatible or development; without it, a list")
      ->type_name("NAME");
  presets_app->footer(
      "Needs no service.\n\nExample:\n  touchmark policy presets strict > policy.toml\n  touchmark "
      "policy set policy.toml");
  dispatcher.on(presets_app, [preset](Session& s) { return presets(*preset, s); });

  auto options = std::make_shared<SetOptions>();
  line::Command* set_app =
      group->add_subcommand("set", "Put a policy into force (needs an admin token)");
  set_app->add_option("FILE", options->file, "The document, in TOML")->required();
  set_app
      ->add_option("--canary", options->canary,
                   "Try it on this share of the devices first, 1 to 99")
      ->range(1, 99)
      ->type_name("PERCENT")
      ->default_text("in force for all devices at once");
  set_app
      ->add_option("--revision", options->revision,
                   "Only when the policy in force still is this revision, as `policy show` says")
      ->range(0, INT64_MAX)
      ->type_name("N");
  set_app->footer(
      "Example:\n  touchmark policy show --toml > policy.toml\n  touchmark policy check "
      "policy.toml\n"
      "  touchmark policy replay policy.toml\n  touchmark policy set policy.toml --canary 10\n"
      "  touchmark policy canary promote");
  dispatcher.on(set_app, [options](Session& s) { return set(*options, s); });
  add_canary(*group, dispatcher);
  add_policy_trials(*group, dispatcher);
}

}  // namespace touchmark::cli::commands
