// touchmark arc explain
#include <fmt/format.h>

#include "cli/commands.h"
#include "protocol/arc.h"

namespace touchmark::cli {
namespace {

struct Reason {
  std::string id;
  std::string meaning;
};

Reason reason_of(std::uint8_t number) {
  if (const protocol::FindingInfo* info = protocol::find_finding(number)) {
    return {std::string(info->id), std::string(info->meaning)};
  }
  return {fmt::format("finding {}", number), "a finding that this version does not know"};
}

Outcome explain(const std::string& code, Session& session) {
  auto numbers = protocol::decode_arc(code);
  if (!numbers) return pass(numbers);
  if (session.json()) {
    Json findings = Json::array();
    for (const std::uint8_t number : *numbers) {
      const Reason reason = reason_of(number);
      findings.push_back({{"number", number}, {"id", reason.id}, {"meaning", reason.meaning}});
    }
    return print_json(session, {{"findings", findings}});
  }
  if (numbers->empty()) session.console().print("no findings: the attestation passed");
  for (const std::uint8_t number : *numbers) {
    const Reason reason = reason_of(number);
    session.console().print(fmt::format("{}: {}", reason.id, reason.meaning));
  }
  return kExitOk;
}

}  // namespace

void add_arc_commands(CLI::App& app, Dispatcher& dispatcher) {
  CLI::App* group = add_group(app, "arc", "Read attestation response codes");
  auto code = std::make_shared<std::string>();
  CLI::App* explain_app =
      group->add_subcommand("explain", "Say what a code that a user reads out means");
  explain_app->add_option("CODE", *code, "Letters and digits, in either case")->required();
  dispatcher.on(explain_app, [code](Session& s) { return explain(*code, s); });
}

}  // namespace touchmark::cli
