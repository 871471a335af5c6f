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

struct DownloadOptions {
  std::string file;
  bool allow_local = false;
};

Outcome download(const Download& what, const DownloadOptions& options, Session& session) {
  const std::string& file = options.file;
  auto client = session.connect();
  if (!client) return pass(client);
  const std::string path = std::string(what.path) + (options.allow_local ? "?allow_local=1" : "");
  auto content = client->download(path, what.max_bytes, session.progress("downloading"));
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

line::Command* add_download(line::Command& group, const Download& what,
                            const std::shared_ptr<DownloadOptions>& options,
                            Dispatcher& dispatcher) {
  line::Command* command = group.add_subcommand(what.name, what.description);
  command->add_option("FILE", options->file, what.option_description)->required();
  dispatcher.on(command, [options, &what](Session& s) { return download(what, *options, s); });
  return command;
}

}  // namespace

void add_sdk_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "sdk", "Download what goes into the app");
  add_download(*group, kLibrary, std::make_shared<DownloadOptions>(), dispatcher);
  auto options = std::make_shared<DownloadOptions>();
  line::Command* config = add_download(*group, kConfig, options, dispatcher);
  config->add_flag("--allow-local", options->allow_local,
                   "Take a configuration with a URL that phones do not reach: for apps on this "
                   "machine or network alone");
  config->footer(
      "An app finds the service by the URLs in its configuration, and a released app that cannot "
      "reach them gets no other. So they must be said (`touchmark serve --public-url`) and "
      "public.");
}

}  // namespace touchmark::cli::commands
