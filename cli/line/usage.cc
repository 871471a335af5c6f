#include "cli/line/usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/io/text.h"
#include "cli/line/command_tree.h"

namespace touchmark::cli::line {
namespace {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         const std::string& path) {
  // A single letter is near to every other one.
  constexpr std::size_t kShortest = 3;
  const bool letter = word.starts_with('-') && word.size() < kShortest;
  const auto near = letter ? std::nullopt : nearest(word, candidates);
  if (near) return fmt::format("did you mean '{}'?", *near);
  return fmt::format("see `{} --help`", path);
}

const CLI::Option* find_option(const CLI::App* app, std::string_view name) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(std::string(name))) return option;
  }
  return nullptr;
}

std::vector<std::string> option_names_here(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const std::string& name : option_names(*app)) names.push_back(name);
  }
  return names;
}

// "registration --add" and "--list" at the top mean a command.
const CLI::App* command_behind_dashes(const CLI::App& app, std::string_view name) {
  while (name.starts_with('-')) name.remove_prefix(1);
  for (const CLI::App* command : subcommands(app)) {
    if (command->get_name() == name || command->get_name() == kebab(name)) return command;
  }
  return nullptr;
}

// Follows the words down the tree to the first one that nothing there takes.
struct Walk {
  const CLI::App* app;
  std::string problem;  // empty when every word has its place
};

Walk walk(const CLI::App& root, const std::vector<std::string>& args) {
  const CLI::App* app = &root;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (word == "--") break;
    if (word.size() > 1 && word.front() == '-') {
      const std::string name = word.substr(0, word.find('='));
      const CLI::Option* option = find_option(app, name);
      if (option == nullptr) {
        if (const CLI::App* command = command_behind_dashes(*app, name)) {
          return {app, fmt::format("unknown option '{}'; did you mean `{}`?", name,
                                   command_path(*command))};
        }
        return {app, fmt::format("unknown option '{}'; {}", name,
                                 did_you_mean(name, option_names_here(app), command_path(*app)))};
      }
      const bool value_follows = option->get_items_expected_max() > 0 && name.size() == word.size();
      if (value_follows) ++i;
      continue;
    }
    const auto commands = subcommands(*app);
    if (commands.empty()) continue;
    const CLI::App* next = nullptr;
    std::vector<std::string> names;
    for (const CLI::App* command : commands) {
      names.push_back(command->get_name());
      if (command->check_name(word)) next = command;
    }
    if (next == nullptr) {
      return {app, fmt::format("unknown command '{}'; {}",
                               app == &root ? word : app->get_name() + " " + word,
                               did_you_mean(word, names, command_path(*app)))};
    }
    app = next;
  }
  return {app, {}};
}

}  // namespace

std::string unknown_word(const CLI::App& app, const std::vector<std::string>& args) {
  return walk(app, args).problem;
}

FoundCommand find_command(const CLI::App& root, const std::vector<std::string>& words) {
  Walk found = walk(root, words);
  if (!found.problem.empty()) return {found.app, std::move(found.problem)};
  // A leaf takes further words for its arguments.
  const std::string path = command_path(*found.app);
  std::string asked = root.get_name();
  for (const std::string& word : words) asked += " " + word;
  if (asked == path) return {found.app, {}};
  return {found.app, fmt::format("unknown command '{}'; see `{} --help`",
                                 asked.substr(root.get_name().size() + 1), path)};
}

std::string explain_parse_error(const CLI::App& app, const std::vector<std::string>& args,
                                const CLI::ParseError& error) {
  const Walk found = walk(app, args);
  if (!found.problem.empty()) return found.problem;
  const std::string path = command_path(*found.app);
  const auto commands = subcommands(*found.app);
  const bool needs_command = found.app->get_require_subcommand_min() > 0;
  if (needs_command) {
    std::string names;
    for (const CLI::App* command : commands) {
      names += (names.empty() ? "" : ", ") + command->get_name();
    }
    return fmt::format("`{}` needs a command: {}", path, names);
  }
  std::string reason = io::one_line(error.what());
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::size_t end = reason.find(" is required");
    if (end != std::string::npos) reason = reason.substr(0, end) + " is missing";
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    reason = "unexpected argument '" + reason.substr(reason.find(": ") + 2) + "'";
  }
  return fmt::format("{}; see `{} --help`", reason, path);
}

}  // namespace touchmark::cli::line
