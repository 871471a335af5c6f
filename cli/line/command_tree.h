// Reading the command line's tree: for --help's relatives (man pages, completion, suggestions).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

// Direct subcommands in their order.
std::vector<const CLI::App*> subcommands(const CLI::App& app);
// "touchmark registration add".
std::string command_path(const CLI::App& app);
// "expireAfter" as "expire-after".
std::string kebab(std::string_view camel);
// Options in their order, without positionals.
std::vector<const CLI::Option*> options(const CLI::App& app);
std::vector<const CLI::Option*> positionals(const CLI::App& app);
// "--help", "-h", "--json", ... of this command alone.
std::vector<std::string> option_names(const CLI::App& app);
// "--expire-after DURATION", "-h,--help": how a page shows an option.
std::string option_spelling(const CLI::Option& option);
bool takes_value(const CLI::Option& option);
// What the option does, and what counts without it: "Holds the key (default: master.key)".
std::string option_text(const CLI::Option& option);
// "FILE", "COUNT": what stands for the value, without the ranges and sets that check it.
std::string value_name(const CLI::Option& option);

}  // namespace touchmark::cli::line
