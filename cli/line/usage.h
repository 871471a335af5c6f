// Turns what the argument parser refused into one sentence that says what to type instead.
#pragma once

#include <string>
#include <vector>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

// What of `args` no command and no option is; empty when each word has its place.
std::string unknown_word(const CLI::App& app, const std::vector<std::string>& args);

struct FoundCommand {
  const CLI::App* app;
  std::string problem;  // empty when it was found
};
// By the words of its path: {"registration", "add"}.
FoundCommand find_command(const CLI::App& root, const std::vector<std::string>& words);

// Names an unknown command or option with the nearest known one, or passes on the parser's reason.
std::string explain_parse_error(const CLI::App& app, const std::vector<std::string>& args,
                                const CLI::ParseError& error);

}  // namespace touchmark::cli::line
