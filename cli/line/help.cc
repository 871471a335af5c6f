#include "cli/line/help.h"

#include "cli/line/command_tree.h"

namespace touchmark::cli::line {

HelpFormatter::HelpFormatter() {
  column_width(30);
  label("Subcommands", "Commands");
  label("Positionals", "Arguments");
}

// Only what the value is: the description says its range.
std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || !takes_value(*option)) return {};
  return " " + value_name(*option);
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  return option_text(*option);
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string /*name*/) const {
  std::string usage = "\nUsage: " + command_path(*app);
  if (!subcommands(*app).empty()) {
    usage += app->get_require_subcommand_min() > 0 ? " COMMAND" : " [COMMAND]";
  }
  for (const CLI::Option* positional : positionals(*app)) {
    std::string word = positional->get_name(true);
    if (positional->get_items_expected_max() > 1) word += "...";
    usage += positional->get_required() ? " " + word : " [" + word + "]";
  }
  return usage + " [OPTIONS]\n";
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  const std::string footer = app->get_footer();
  return footer.empty() ? footer : footer + "\n";
}

}  // namespace touchmark::cli::line
