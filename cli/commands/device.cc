// touchmark device list|show|force-pass|force-fail|clear
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

constexpr const char* kDevicePath = "/admin/v1/device";

// A device that was forced by its id need not have come yet.
bool was_seen(const Json& device) {
  const auto seen = device.find("last_seen");
  return seen == device.end() || !seen->is_null();
}

bool is_true(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && *found == true;
}

std::string seen_cell(const Json& device) {
  return was_seen(device) ? time_cell(device, "last_seen") : "never";
}

std::string verdict_cell(const Json& device) {
  if (!was_seen(device)) return "";
  return is_true(device, "passed") ? "pass" : "fail";
}

std::string force_cell(const Json& device) {
  const std::string force = text_cell(device, "force");
  return force == "none" ? "" : force;
}

// "pass, by alice at 2026-11-28 12:00:00+00:00"; an older service does not say by whom.
std::string forced_text(const Json& device) {
  std::string force = text_cell(device, "force");
  const std::string by = text_cell(device, "forced_by");
  if (by.empty()) return force;
  return fmt::format("{}, by {} at {}", force, by, time_cell(device, "forced_at"));
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
    rows.push_back({text_cell(device, "did"),
                    was_seen(device) ? time_cell(device, "last_seen") : "never",
                    verdict_cell(device), force_cell(device), text_cell(device, "package"),
                    text_cell(device, "arc")});
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
  session.console().print(io::table({{"device", text_cell(*device, "did")},
                                     {"seen", seen_cell(*device)},
                                     {"address", text_cell(*device, "address")},
                                     {"verdict", verdict_cell(*device)},
                                     {"forced", forced_text(*device)},
                                     {"package", text_cell(*device, "package")},
                                     {"arc", text_cell(*device, "arc")}}));
  const Json* appraisal = find_object(*device, "appraisal");
  if (appraisal == nullptr) return io::kExitOk;
  session.console().print(fmt::format("its newest recorded evidence ({}) would {} now",
                                      time_cell(*appraisal, "time"),
                                      is_true(*appraisal, "passed") ? "pass" : "fail"));
  for (const std::string& line : verdict_lines(*appraisal)) session.console().print(line);
  if (const Json* facts = find_object(*appraisal, "facts")) {
    session.console().print("facts " + io::one_line(dump_json(*facts)));
  }
  return io::kExitOk;
}

struct ForceOptions {
  std::string did;
  bool yes = false;
};

// What is asked for each force, and said when it is done.
struct Words {
  std::string_view command;
  std::string_view question;
};

Words words_of(std::string_view how) {
  if (how == "pass") return {"force-pass", "Let this device pass, whatever is found on it?"};
  if (how == "fail") return {"force-fail", "Let this device fail, whatever its evidence says?"};
  return {"clear", "Judge this device by the policy again?"};
}

// Rows for the person who has to recognise their own device.
std::vector<std::vector<std::string>> recognition_rows(const Json& device) {
  std::vector<std::vector<std::string>> rows{{"device", text_cell(device, "did")},
                                             {"seen", seen_cell(device)},
                                             {"address", text_cell(device, "address")},
                                             {"package", text_cell(device, "package")}};
  const Json* appraisal = find_object(device, "appraisal");
  const Json* facts = appraisal == nullptr ? nullptr : find_object(*appraisal, "facts");
  if (facts != nullptr) {
    const std::string model = text_cell(*facts, "manufacturer") + " " + text_cell(*facts, "model");
    rows.push_back({"model", std::string(io::trim(model))});
    rows.push_back({"system", std::string(io::trim(text_cell(*facts, "platform") + " " +
                                                   text_cell(*facts, "os_version")))});
  }
  for (std::vector<std::string>& row : rows) {
    if (row[1].empty()) row[1] = "unknown";
  }
  return rows;
}

// The id of the device seen last, which the person here has seen and recognised. What they were
// shown is what is forced, whoever attests meanwhile.
Result<std::string> confirmed_latest(service::AdminClient& client, std::string_view how,
                                     Session& session) {
  auto device = client.get(fmt::format("{}?did=latest", kDevicePath));
  if (!device) return pass(device);
  const std::string did = text_cell(*device, "did");
  session.console().note("The device seen last:");
  session.console().note(io::table(recognition_rows(*device)));
  session.console().note(
      "Anybody can be the device seen last. Model and package are the app's own word.");
  const std::string answer =
      lower(io::trim(session.console()
                         .ask(fmt::format("{} [y/N]", words_of(how).question), io::Echo::kShow)
                         .value_or("")));
  if (answer == "y" || answer == "yes") return did;
  return fail(io::CliError::kNotConfirmed,
              fmt::format("nothing was changed; `touchmark device {} {}` is for this device",
                          words_of(how).command, did));
}

Outcome force(const ForceOptions& options, const std::string& how, Session& session) {
  std::string did = options.did;
  if (did == "latest" && (options.yes || !session.console().interactive())) {
    return fail(io::CliError::kUsage,
                "anybody can be the device seen last, so latest needs a person who is shown the "
                "device and asked; give the device's id, which `touchmark device show latest` "
                "shows");
  }
  auto client = session.connect();
  if (!client) return pass(client);
  if (did == "latest") {
    auto confirmed = confirmed_latest(*client, how, session);
    if (!confirmed) return pass(confirmed);
    did = std::move(*confirmed);
  }
  auto answer = client->put(kDevicePath, {{"did", did}, {"force", how}});
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  const std::string name = text_cell(*answer, "did");
  session.console().print(how == "none" ? fmt::format("{} is judged by the policy again", name)
                                        : fmt::format("{} will {} from now on", name, how));
  return io::kExitOk;
}

}  // namespace

void add_device_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group =
      add_group(app, "device", "Look at single devices, and force their verdicts");
  auto limit = std::make_shared<int>(50);
  line::Command* list_app =
      group->add_subcommand("list", "List the devices seen last, and all whose verdict is forced");
  list_app->add_option("--limit", *limit, "How many, 1 to 10000 (default: 50)")
      ->range(1, 10000)
      ->type_name("N");
  dispatcher.on(list_app, [limit](Session& s) { return list(*limit, s); });

  auto options = std::make_shared<ForceOptions>();
  const auto add = [&](const char* name, const char* description, const char* did_text,
                       const Handler& handler) {
    line::Command* command = group->add_subcommand(name, description);
    command->add_option("DID", options->did, did_text)->required();
    dispatcher.on(command, handler);
    return command;
  };
  add("show", "Show a device, and why its verdict is what it is",
      "The device id, as `touchmark device list` shows it, or latest for the device seen last",
      [options](Session& s) { return show(options->did, s); });
  const auto add_force = [&](const char* name, const char* description, const char* how) {
    line::Command* command =
        add(name, description,
            "The device id, as `touchmark device list` shows it, or latest: at a terminal, which "
            "shows the device seen last and asks",
            [options, how](Session& s) { return force(*options, how, s); });
    command->add_flag("--yes", options->yes, "Never ask: DID is an id, and not latest");
  };
  add_force("force-pass", "Let a device pass, whatever is found on it; for testing", "pass");
  add_force("force-fail", "Let a device fail, whatever its evidence says", "fail");
  add_force("clear", "Judge a device by the policy again", "none");
}

}  // namespace touchmark::cli::commands
