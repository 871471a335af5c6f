// touchmark sdk library|config
#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

struct Download {
  const char* name;
  const char* description;
  const char* option_description;
  const char* path;
  std::size_t max_bytes;
};

constexpr Download kLibrary{"library", "Download the Android library, to put into the app",
                            "Where to write it, such as app/libs/touchmark_sdk.aar",
                            "/admin/v1/sdk/android", 256U << 20};
constexpr Download kConfig{"config", "Download the initial configuration, an asset of the app",
                           "Where to write it, such as "
                           "app/src/main/assets/touchmark-initial.config",
                           "/admin/v1/config", 1U << 20};

Outcome download(const Download& what, const std::string& file, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto content = client->download(what.path, what.max_bytes, session.progress("downloading"));
  if (!content) return pass(content);
  // An app that had no assets until now has no folder for them; what goes wrong here, the write
  // tells.
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
  if (auto written = write_file_atomic(file, as_bytes(*content)); !written) return pass(written);
  if (session.json()) return print_json(session, {{"file", file}, {"bytes", content->size()}});
  session.console().print(fmt::format("wrote {} ({})", file, io::human_size(content->size())));
  return io::kExitOk;
}

void add_download(line::Command& group, const Download& what, Dispatcher& dispatcher) {
  auto file = std::make_shared<std::string>();
  line::Command* command = group.add_subcommand(what.name, what.description);
  command->add_option("FILE", *file, what.option_description)->required();
  dispatcher.on(command, [file, &what](Session& s) { return download(what, *file, s); });
}

}  // namespace

void add_sdk_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "sdk", "Download what goes into the app");
  add_download(*group, kLibrary, dispatcher);
  add_download(*group, kConfig, dispatcher);
}

}  // namespace touchmark::cli::commands
