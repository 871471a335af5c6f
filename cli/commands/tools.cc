// touchmark version, man, completion: what the command says about itself.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <system_error>

#include "base/file.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/line/completion.h"
#include "cli/line/manual.h"

namespace touchmark::cli::commands {
namespace {

Outcome version(Session& session) {
  if (session.json()) {
    return print_json(session, {{"version", TOUCHMARK_VERSION},
                                {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)}});
  }
  session.console().print("touchmark " TOUCHMARK_VERSION);
  return io::kExitOk;
}

Outcome man(const std::string& folder, Session& session) {
  const auto line = make_command_line();
  const auto pages = line::manual_pages(line->root.app());
  if (folder.empty()) {
    for (const line::ManualPage& page : pages) session.console().print(page.text);
    return io::kExitOk;
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(FileError::kIo, fmt::format("{}: {}", folder, error.message()));
  for (const line::ManualPage& page : pages) {
    const auto path = std::filesystem::path(folder) / page.file;
    if (auto written = write_file_atomic(path, as_bytes(page.text)); !written) return pass(written);
  }
  if (session.json()) return print_json(session, {{"folder", folder}, {"pages", pages.size()}});
  session.console().print(fmt::format("wrote {} pages to {}", pages.size(), folder));
  return io::kExitOk;
}

Outcome completion(const std::string& shell, Session& session) {
  const auto line = make_command_line();
  const std::string script = shell == "bash"  ? line::bash_completion(line->root.app())
                             : shell == "zsh" ? line::zsh_completion(line->root.app())
                                              : line::fish_completion(line->root.app());
  session.console().print(script);
  return io::kExitOk;
}

}  // namespace

void add_version_command(line::Command& app, Dispatcher& dispatcher) {
  dispatcher.on(app.add_subcommand("version", "Print the version"), version);
}

void add_man_command(line::Command& app, Dispatcher& dispatcher) {
  auto folder = std::make_shared<std::string>();
  line::Command* command =
      app.add_subcommand("man", "Print the manual pages, or write them to a folder");
  command->add_option("--to", *folder, "Folder, such as /usr/local/share/man/man1")
      ->type_name("FOLDER")
      ->default_text("standard output");
  dispatcher.on(command, [folder](Session& s) { return man(*folder, s); });
}

void add_completion_command(line::Command& app, Dispatcher& dispatcher) {
  auto shell = std::make_shared<std::string>();
  line::Command* command =
      app.add_subcommand("completion", "Print the completion script of a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->one_of({"bash", "zsh", "fish"});
  command->footer("Example:\n  source <(touchmark completion bash)");
  dispatcher.on(command, [shell](Session& s) { return completion(*shell, s); });
}

}  // namespace touchmark::cli::commands
