// Turns what the argument parser refused into one sentence that says what to type instead.
#pragma once

#include <string>
#include <vector>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

// Names an unknown command or option with the nearest known one, or passes on the parser's reason.
std::string explain_parse_error(const CLI::App& app, const std::vector<std::string>& args,
                                const CLI::ParseError& error);

}  // namespace touchmark::cli::line
