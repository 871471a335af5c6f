// touchmark version, help, man, completion: what the command says about itself.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/registration/reference.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
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

Outcome no_json(const char* command, const char* what) {
  return fail(
      io::CliError::kUsage,
      fmt::format("`{}` answers with {}, which is no JSON; leave --json out", command, what));
}

Outcome list_pages(const std::vector<line::ManualPage>& pages, Session& session) {
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const line::ManualPage& page : pages) {
    const std::string name = page.file.substr(0, page.file.rfind('.'));
    list.push_back({{"page", name}, {"command", page.command}, {"summary", page.summary}});
    rows.push_back({name, page.summary});
  }
  if (session.json()) return print_json(session, {{"pages", list}});
  session.console().print(io::table(rows));
  return io::kExitOk;
}

Outcome write_pages(const std::vector<line::ManualPage>& pages, const std::string& folder,
                    Session& session) {
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

Outcome man(const std::vector<std::string>& command, const std::string& folder, Session& session) {
  const auto line = make_command_line();
  const auto pages = line::manual_pages(line->root.app());
  if (!folder.empty() && !command.empty()) {
    return fail(io::CliError::kUsage, "--to writes every page; leave the command or --to out");
  }
  if (!folder.empty()) return write_pages(pages, folder, session);
  if (command.empty()) return list_pages(pages, session);
  const std::string words = join(command, " ");
  const std::string wanted = words == "touchmark" ? "" : words;
  for (const line::ManualPage& page : pages) {
    if (page.command != wanted) continue;
    if (session.json()) return no_json("touchmark man COMMAND", "a manual page");
    session.console().print(page.text);
    return io::kExitOk;
  }
  const line::Parsed unknown = line->root.help_of_command(command);
  return fail(io::CliError::kUsage, unknown.text);
}

Outcome help(const std::vector<std::string>& command, Session& session) {
  const auto line = make_command_line();
  const line::Parsed found = line->root.help_of_command(command);
  if (found.kind == line::Parsed::Kind::kWrong) return fail(io::CliError::kUsage, found.text);
  if (session.json()) return no_json("touchmark help", "text");
  session.console().print(found.text);
  return io::kExitOk;
}

// For completion scripts: "WORD<tab>what it is", one a line. Whatever goes wrong, nothing is
// offered and nothing said.
Outcome complete(const std::string& kind, Session& session) {
  constexpr std::chrono::seconds kPatience{2};
  constexpr std::size_t kMaxOffered = 200;
  if (kind != "registrations") return io::kExitOk;
  auto client = session.connect_within(kPatience);
  if (!client) return io::kExitOk;
  const auto registered = read_registered(*client);
  if (!registered) return io::kExitOk;
  std::size_t offered = 0;
  for (const Json* rows : {&registered->releases, &registered->certificates}) {
    for (const Json& row : *rows) {
      const std::string id = find_string(row, "id").value_or("");
      if (id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-") != id.npos || id.empty()) {
        continue;
      }
      if (offered++ == kMaxOffered) return io::kExitOk;
      session.console().print(id + "\t" + io::one_line(registered_name(row)));
    }
  }
  return io::kExitOk;
}

Outcome completion(const std::string& shell, Session& session) {
  if (session.json()) return no_json("touchmark completion", "a script");
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
  auto words = std::make_shared<std::vector<std::string>>();
  auto folder = std::make_shared<std::string>();
  line::Command* command =
      app.add_subcommand("man", "List the manual pages, print one, or write all to a folder");
  command->add_option("COMMAND", *words, "Whose page to print (default: list the pages)");
  command->add_option("--to", *folder, "Folder, such as /usr/local/share/man/man1")
      ->type_name("FOLDER")
      ->default_text("none: print");
  command->footer("Example:\n  touchmark man registration add | man -l -");
  dispatcher.on(command, [words, folder](Session& s) { return man(*words, *folder, s); });
}

void add_help_command(line::Command& app, Dispatcher& dispatcher) {
  auto words = std::make_shared<std::vector<std::string>>();
  line::Command* command = app.add_subcommand("help", "Explain a command");
  command->add_option("COMMAND", *words, "Such as registration add (default: all commands)");
  command->footer("Example:\n  touchmark help registration add");
  dispatcher.on(command, [words](Session& s) { return help(*words, s); });
}

void add_complete_command(line::Command& app, Dispatcher& dispatcher) {
  auto kind = std::make_shared<std::string>();
  line::Command* command = app.add_subcommand("__complete", "Offer words to a completion script");
  command->hide();
  command->add_option("KIND", *kind, "What is to be completed")->required();
  dispatcher.on(command, [kind](Session& s) { return complete(*kind, s); });
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
