// The whole command line: its tree, and one run of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

struct CommandLine {
  // Members are in the order that construction needs: the tree's callbacks refer to the others.
  GlobalOptions options;
  Dispatcher dispatcher;
  int exit_code = io::kExitOk;  // of `serve`, which runs while the line is parsed
  line::Root root{"touchmark",
                  "Tells your API what is calling it: the genuine app, or anything else.",
                  "touchmark " TOUCHMARK_VERSION};
};

// The tree as `man`, `completion` and --help show it.
std::unique_ptr<CommandLine> make_command_line();

// Runs `args` (without the program's name); gives the process's exit status. Never throws.
int run(const std::vector<std::string>& args, World& world);

}  // namespace touchmark::cli::commands
