// touchmark device list|show|force-pass|force-fail|clear
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kDevicePath = "/admin/v1/device";

std::string time_of(const Json& json, const char* name) {
  auto time = get_int(json, name, 0, kMaxUnixTime);
  return time ? format_time(from_unix(*time)) : "?";
}

std::string text(const Json& json, const char* name) {
  return io::one_line(find_string(json, name).value_or(""));
}

bool is_true(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && *found == true;
}

std::string force_cell(const Json& device) {
  const std::string force = text(device, "force");
  return force == "none" ? "" : force;
}

Outcome list(int limit, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(fmt::format("/admin/v1/devices?limit={}", limit));
  if (!answer) return pass(answer);
  const Json* devices = find_array(*answer, "devices");
  if (devices == nullptr)
    return fail(io::CliError::kBadAnswer, "the answer has no list of devices");
  if (session.json()) return print_json(session, *answer);
  if (devices->empty()) {
    session.console().note("no device was seen yet");
    return io::kExitOk;
  }
  std::vector<std::vector<std::string>> rows{
      {"DEVICE", "SEEN", "VERDICT", "FORCED", "PACKAGE", "ARC"}};
  for (const Json& device : *devices) {
    rows.push_back({text(device, "did"), time_of(device, "last_seen"),
                    is_true(device, "passed") ? "pass" : "fail", force_cell(device),
                    text(device, "package"), text(device, "arc")});
  }
  session.console().print(io::table(rows));
  return io::kExitOk;
}

Outcome show(const std::string& did, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto device = client->get(fmt::format("{}?did={}", kDevicePath, service::path_segment(did)));
  if (!device) return pass(device);
  if (session.json()) return print_json(session, *device);
  session.console().print(io::table({{"device", text(*device, "did")},
                                     {"seen", time_of(*device, "last_seen") + " UTC"},
                                     {"verdict", is_true(*device, "passed") ? "pass" : "fail"},
                                     {"forced", text(*device, "force")},
                                     {"package", text(*device, "package")},
                                     {"arc", text(*device, "arc")}}));
  const Json* appraisal = find_object(*device, "appraisal");
  if (appraisal == nullptr) return io::kExitOk;
  session.console().print(fmt::format("its newest recorded evidence ({} UTC) would {} now",
                                      time_of(*appraisal, "time"),
                                      is_true(*appraisal, "passed") ? "pass" : "fail"));
  for (const std::string& line : verdict_lines(*appraisal)) session.console().print(line);
  if (const Json* facts = find_object(*appraisal, "facts")) {
    session.console().print("facts " + io::one_line(dump_json(*facts)));
  }
  return io::kExitOk;
}

Outcome force(const std::string& did, const std::string& how, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->put(kDevicePath, {{"did", did}, {"force", how}});
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  const std::string name = text(*answer, "did");
  session.console().print(how == "none" ? fmt::format("{} is judged by the policy again", name)
                                        : fmt::format("{} will {} from now on", name, how));
  return io::kExitOk;
}

}  // namespace

void add_device_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "device", "Look at single devices, and force their verdicts");
  auto limit = std::make_shared<int>(50);
  line::Command* list_app = group->add_subcommand("list", "List the devices seen last");
  list_app->add_option("--limit", *limit, "How many, 1 to 10000 (default: 50)")
      ->range(1, 10000)
      ->type_name("N");
  dispatcher.on(list_app, [limit](Session& s) { return list(*limit, s); });

  auto did = std::make_shared<std::string>();
  const auto add = [&](const char* name, const char* description, const Handler& handler) {
    line::Command* command = group->add_subcommand(name, description);
    command
        ->add_option("DID", *did,
                     "The device id, as `touchmark device list` shows it, or latest for the device "
                     "seen last")
        ->required();
    dispatcher.on(command, handler);
  };
  add("show", "Show a device, and why its verdict is what it is",
      [did](Session& s) { return show(*did, s); });
  add("force-pass", "Let a device pass, whatever is found on it; for testing",
      [did](Session& s) { return force(*did, "pass", s); });
  add("force-fail", "Let a device fail, whatever its evidence says",
      [did](Session& s) { return force(*did, "fail", s); });
  add("clear", "Judge a device by the policy again",
      [did](Session& s) { return force(*did, "none", s); });
}

}  // namespace touchmark::cli::commands
