#include "cli/gateway/gateway.h"

#include <cstdio>
#include <deque>
#include <memory>

#include "cli/io/error.h"
#include "cli/io/exit_code.h"
#include "cli/serve/descriptor_limit.h"
#include "cli/serve/service_manager.h"
#include "relying-party/gateway/gateway.h"
#include "verifier/http/server.h"

namespace touchmark::cli::gateway {
namespace {

namespace engine = relying::gateway;

// What stands on the command line. Filled while the line is parsed.
struct Flags {
  std::string config;
  std::deque<std::vector<std::string>> lists;  // as option_rows(); of one value, too
  std::deque<std::string> texts;
  bool only_check = false;

  engine::Given given() const {
    engine::Given out;
    for (std::size_t i = 0; i < lists.size(); ++i) {
      const engine::OptionRow& row = engine::option_rows()[i];
      if (row.is_list && !lists[i].empty()) out.emplace_back(row.name, lists[i]);
      if (!row.is_list && !texts[i].empty()) out.emplace_back(row.name, std::vector{texts[i]});
    }
    return out;
  }
};

int report(const Error& error) {
  std::fprintf(stderr, "touchmark: %s\n", error.message().c_str());
  return error.is(verifier::http::ServerError::kAddressInUse) ? io::kExitAddressInUse
                                                              : io::kExitUsage;
}

int run(const Flags& flags) {
  auto plan = engine::read_plan(flags.config, flags.given(), relying::settings_of_environment());
  if (!plan) return report(plan.error());
  for (const std::string& warning : plan->warnings) {
    std::fprintf(stderr, "touchmark: warning: %s\n", warning.c_str());
  }
  if (flags.only_check) return io::kExitOk;
  auto log = verifier::http::Log::open(plan->log_file, plan->log_format, plan->log_level);
  if (!log) return report(log.error());
  // One to the client, one to the upstream.
  const auto room = serve::make_room_for(2 * plan->max_connections, true);
  if (!room) return report(room.error());
  plan->max_connections = std::min(plan->max_connections, *room / 2);
  verifier::http::Log& said = **log;
  const std::string mode(to_string(plan->check.mode));
  auto gateway = engine::Gateway::start(std::move(*plan), std::move(*log));
  if (!gateway) return report(gateway.error());
  for (const auto& [what, address] : (*gateway)->listening()) {
    said.info("listening", {{"what", what},
                            {"address", to_string(address)},
                            {"mode", mode},
                            {"version", TOUCHMARK_VERSION}});
  }
  serve::tell_manager("READY=1");
  (*gateway)->run();
  return io::kExitOk;
}

}  // namespace

void add_gateway_command(line::Command& app, int& exit_code, const bool& as_json) {
  auto flags = std::make_shared<Flags>();
  line::Command* command = app.add_subcommand(
      "gateway", "Check tokens before an API: as a reverse proxy, or for another proxy");
  command
      ->add_option("--config", flags->config,
                   "TOML file of these options, of the check and of rules")
      ->type_name("FILE")
      ->default_text("TOUCHMARK_GATEWAY_CONFIG");
  command->add_flag("--check", flags->only_check, "Read all of them, say what is wrong, and end");
  for (const engine::OptionRow& row : engine::option_rows()) {
    const std::string name = std::string("--") + row.name;
    auto& list = flags->lists.emplace_back();
    auto& text = flags->texts.emplace_back();
    line::Option* option = row.is_list ? command->add_option(name, list, row.help)->one_value_each()
                                       : command->add_option(name, text, row.help);
    option->type_name(row.value)->default_text(row.without);
  }
  command->footer(
      "The check's own settings stand in the environment (TOUCHMARK_SECRET, TOUCHMARK_MODE ...), "
      "or "
      "in the file's table [check]. Each option above can stand in the environment "
      "(TOUCHMARK_GATEWAY_LISTEN) and in the file (listen = \"...\"), too.\n\nExamples:\n"
      "  touchmark gateway --listen :8080 --upstream http://127.0.0.1:3000\n"
      "  touchmark gateway --decision-listen 127.0.0.1:9091   for nginx's auth_request");
  command->on_chosen([flags, &exit_code, &as_json] {
    if (as_json) {
      const Error error(io::CliError::kUsage,
                        "`touchmark gateway` writes a log, not an answer; --log-format json makes "
                        "its log JSON");
      std::fprintf(stderr, "%s\n", io::describe_json(error).c_str());
      exit_code = io::kExitUsage;
      return;
    }
    exit_code = run(*flags);
  });
}

}  // namespace touchmark::cli::gateway
