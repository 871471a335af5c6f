// `touchmark serve`: the command that runs the service until it is told to stop.
#pragma once

#include "cli/line/command.h"

namespace touchmark::cli::serve {

// Adds the subcommand `serve` to the command line; when it was chosen and has run, `exit_code`
// holds the process's exit status (the numbers are in cli/io/exit_code.h). So it is with `serve
// config`, which answers in JSON where `as_json` is true by then.
void add_serve_command(line::Command& app, int& exit_code, const bool& as_json);

}  // namespace touchmark::cli::serve
