// touchmark arc explain
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/text.h"
#include "protocol/arc.h"

namespace touchmark::cli::commands {
namespace {

// What is known of one finding: {"number","id","meaning"}, and with a service also
// {"action","rule", "would_pass"} under the policy in force.
Json reason_of(std::uint8_t number, const Json& policy) {
  const protocol::FindingInfo* info = protocol::find_finding(number);
  if (info == nullptr) {
    return {{"number", number},
            {"id", fmt::format("finding {}", number)},
            {"meaning", "a finding that this version does not know"}};
  }
  Json out{{"number", number}, {"id", info->id}, {"meaning", info->meaning}};
  if (const Json* finding = find_object(policy, std::string(info->id).c_str())) {
    for (const char* name : {"action", "rule", "would_pass"}) {
      if (finding->contains(name)) out[name] = (*finding)[name];
    }
  }
  return out;
}

// What the policy of the profile's service makes of findings; empty without a service. The code
// itself needs none, so a service that cannot be reached is only worth a note.
Json policy_in_force(Session& session) {
  auto client = session.connect();
  if (!client) return Json::object();
  auto answer = client->get("/admin/v1/policy");
  if (!answer) {
    session.console().note("the policy in force is not known here: " +
                           io::one_line(answer.error().message()));
    return Json::object();
  }
  const Json* findings = find_object(*answer, "findings");
  return findings == nullptr ? Json::object() : *findings;
}

void print_reason(const Json& reason, Session& session) {
  session.console().print(
      fmt::format("{}: {}", reason["id"].get<std::string>(), reason["meaning"].get<std::string>()));
  const auto action = find_string(reason, "action");
  if (!action) return;
  session.console().print(fmt::format("  now: {}, by {}", io::one_line(*action),
                                      rule_text(reason.value("rule", Json()))));
  session.console().print("  would pass: " +
                          io::one_line(find_string(reason, "would_pass").value_or("?")));
}

Outcome explain(const std::string& code, Session& session) {
  auto numbers = protocol::decode_arc(code);
  if (!numbers) return pass(numbers);
  const Json policy = numbers->empty() ? Json::object() : policy_in_force(session);
  Json findings = Json::array();
  for (const std::uint8_t number : *numbers) findings.push_back(reason_of(number, policy));
  if (session.json()) return print_json(session, {{"findings", findings}});
  if (findings.empty()) session.console().print("no findings: the attestation passed");
  for (const Json& reason : findings) print_reason(reason, session);
  return io::kExitOk;
}

}  // namespace

void add_arc_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "arc", "Read attestation response codes");
  auto code = std::make_shared<std::string>();
  line::Command* explain_app =
      group->add_subcommand("explain", "Say what a code that a user reads out means");
  explain_app->add_option("CODE", *code, "Letters and digits, in either case")->required();
  explain_app->footer(
      "With a profile it also says what the policy in force makes of each finding, and what would "
      "pass.");
  dispatcher.on(explain_app, [code](Session& s) { return explain(*code, s); });
}

}  // namespace touchmark::cli::commands
