// Completion scripts for shells, from the command line's tree: commands, options, file names.
#pragma once

#include <string>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

}  // namespace touchmark::cli::line
