#include "cli/line/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <utility>

#include "cli/line/command_tree.h"

namespace touchmark::cli::line {
namespace {

// Every command of the tree, the root first.
void for_each_command(const CLI::App& app, const std::function<void(const CLI::App&)>& visit) {
  visit(app);
  for (const CLI::App* command : subcommands(app)) for_each_command(*command, visit);
}

// In single quotes, for a POSIX shell.
std::string shell_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string words_of(const CLI::App& app, const CLI::App& root) {
  std::string words;
  for (const CLI::App* command : subcommands(app)) words += command->get_name() + " ";
  for (const std::string& name : option_names(app)) words += name + " ";
  if (&app != &root) {
    for (const std::string& name : option_names(root)) {
      if (name != "--help" && name != "-h" && name != "--version") words += name + " ";
    }
  }
  if (!words.empty()) words.pop_back();
  return words;
}

// Positionals whose words a profile's service knows; `touchmark __complete KIND` asks it.
constexpr std::pair<std::string_view, std::string_view> kAsked[] = {
    {"REGISTRATION", "registrations"}};

// KIND for a command; empty when nothing has to be asked.
std::string_view asked_kind(const CLI::App& command) {
  for (const CLI::Option* positional : positionals(command)) {
    for (const auto& [name, kind] : kAsked) {
      if (positional->get_name(true) == name) return kind;
    }
  }
  return {};
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string paths;
  for_each_command(app, [&](const CLI::App& command) {
    const std::string_view kind = asked_kind(command);
    paths += fmt::format("    {}) words={}{} ;;\n", shell_quote(command_path(command)),
                         shell_quote(words_of(command, app)),
                         kind.empty() ? "" : fmt::format(" ask={}", kind));
  });
  std::string known;
  for_each_command(app, [&](const CLI::App& command) {
    if (&command != &app)
      known +=
          fmt::format("      {}) path=\"$path $word\" ;;\n", shell_quote(command_path(command)));
  });
  return "# bash completion of touchmark; put it into a file that ~/.bashrc sources\n"
         "_touchmark() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" path=touchmark word words ask i\n"
         "  local -a profile=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=\"${COMP_WORDS[i]}\"\n"
         "    [ \"$word\" = --profile ] && profile=(--profile \"${COMP_WORDS[i + 1]}\")\n"
         "    case \"$path $word\" in\n" +
         known +
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         paths +
         "  esac\n"
         "  if [ -n \"$ask\" ] && [ \"${current#-}\" = \"$current\" ]; then\n"
         "    words=\"$words $(touchmark __complete \"$ask\" \"${profile[@]}\" 2>/dev/null |"
         " cut -f 1)\"\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o bashdefault -o default -F _touchmark touchmark";
}

std::string zsh_completion(const CLI::App& app) {
  std::string cases;
  std::string known;
  for_each_command(app, [&](const CLI::App& command) {
    std::string items;
    for (const CLI::App* sub : subcommands(command)) {
      items += " " + shell_quote(sub->get_name() + ":" + sub->get_description());
    }
    for (const CLI::Option* option : options(command)) {
      for (const std::string& name : option->get_lnames()) {
        items += " " + shell_quote("--" + name + ":" + option->get_description());
      }
    }
    const std::string_view kind = asked_kind(command);
    cases += fmt::format("    {}) items=({}){} ;;\n", shell_quote(command_path(command)),
                         items.empty() ? "" : items.substr(1),
                         kind.empty() ? "" : fmt::format("; ask={}", kind));
    if (&command != &app) {
      known +=
          fmt::format("      {}) where=\"$where $word\" ;;\n", shell_quote(command_path(command)));
    }
  });
  return "#compdef touchmark\n"
         "# zsh completion of touchmark; save it as _touchmark in a folder of $fpath\n"
         "_touchmark() {\n"
         "  local where=touchmark word ask\n"
         "  local -a items profile\n"
         "  integer at=${words[(I)--profile]}\n"
         "  (( at && at + 1 < CURRENT )) && profile=(--profile \"${words[at + 1]}\")\n"
         "  for word in \"${words[@]:1:$((CURRENT - 2))}\"; do\n"
         "    case \"$where $word\" in\n" +
         known +
         "    esac\n"
         "  done\n"
         "  case \"$where\" in\n" +
         cases +
         "  esac\n"
         "  if [ -n \"$ask\" ]; then\n"
         "    items+=(\"${(@f)$(touchmark __complete $ask $profile 2>/dev/null | tr '\\t' "
         "':')}\")\n"
         "    items=(${items:#})\n"
         "  fi\n"
         "  _describe touchmark items\n"
         "  _files\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _touchmark ]; then _touchmark \"$@\"; else compdef _touchmark "
         "touchmark; fi";
}

std::string fish_completion(const CLI::App& app) {
  std::string known;
  std::string items;
  for_each_command(app, [&](const CLI::App& command) {
    const std::string path = shell_quote(command_path(command));
    if (&command != &app)
      known += fmt::format("      case {}\n        set path $path $word\n", path);
    // Options of the root go with every command.
    const std::string at =
        fmt::format("complete -c touchmark -n \"test (__touchmark_path) = {}\"", path);
    if (const std::string_view kind = asked_kind(command); !kind.empty()) {
      items += fmt::format("{} -a '(__touchmark_ask {})'\n", at, kind);
    }
    for (const CLI::App* sub : subcommands(command)) {
      items += fmt::format("{} -f -a {} -d {}\n", at, sub->get_name(),
                           shell_quote(sub->get_description()));
    }
    for (const CLI::Option* option : options(command)) {
      for (const std::string& name : option->get_lnames()) {
        items +=
            fmt::format("{} -l {}{} -d {}\n", &command == &app ? "complete -c touchmark" : at, name,
                        takes_value(*option) ? " -r" : "", shell_quote(option->get_description()));
      }
    }
  });
  items.pop_back();
  return "# fish completion of touchmark; save it as ~/.config/fish/completions/touchmark.fish\n"
         "function __touchmark_path\n"
         "  set -l path touchmark\n"
         "  for word in (commandline -opc)[2..-1]\n"
         "    switch \"$path $word\"\n" +
         known +
         "    end\n"
         "  end\n"
         "  echo \"$path\"\n"
         "end\n"
         "function __touchmark_ask\n"
         "  set -l words (commandline -opc)\n"
         "  set -l profile\n"
         "  if set -l at (contains -i -- --profile $words)\n"
         "    set profile --profile $words[(math $at + 1)]\n"
         "  end\n"
         "  touchmark __complete $argv[1] $profile 2>/dev/null\n"
         "end\n" +
         items;
}

}  // namespace touchmark::cli::line
