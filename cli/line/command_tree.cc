#include "cli/line/command_tree.h"

#include <CLI/CLI.hpp>

namespace touchmark::cli::line {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  // One of no group is for scripts of our own, and shown nowhere.
  return app.get_subcommands([](const CLI::App* command) {
    return !command->get_name().empty() && !command->get_group().empty();
  });
}

std::string command_path(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : command_path(*parent) + " " + app.get_name();
}

std::string kebab(std::string_view camel) {
  std::string out;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z') {
      out += '-';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<const CLI::Option*> options(const CLI::App& app) {
  // An option of no group is an old spelling that is still taken, and shown nowhere.
  return app.get_options([](const CLI::Option* option) {
    return option->nonpositional() && !option->get_group().empty();
  });
}

std::vector<const CLI::Option*> positionals(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options(app)) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string option_spelling(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) text += "--" + name + ", ";
  if (text.ends_with(", ")) text.erase(text.size() - 2);
  if (takes_value(option)) text += " " + value_name(option);
  return text;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string option_text(const CLI::Option& option) {
  const std::string& without = option.get_default_str();
  if (without.empty() || !takes_value(option)) return option.get_description();
  return option.get_description() + " (default: " + without + ")";
}

std::string value_name(const CLI::Option& option) {
  // Checks stand behind a colon: "SECONDS:INT in [1 - 3600]". The word itself may have one, too:
  // "HOST:PORT".
  const std::string name = option.get_type_name();
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::size_t end = 0;
  while (end < name.size() && (is_capital(name[end]) || name[end] == ':')) ++end;
  return end == name.size() ? name : name.substr(0, name.find(':'));
}

}  // namespace touchmark::cli::line
