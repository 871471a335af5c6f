// `touchmark gateway`: the command that checks tokens before an API, until it is told to stop.
#pragma once

#include "cli/line/command.h"

namespace touchmark::cli::gateway {

// Adds the subcommand `gateway`; when it was chosen and has run, `exit_code` holds the process's
// exit status. Where `as_json` is true by then, it is refused: it writes a log, not an answer.
void add_gateway_command(line::Command& app, int& exit_code, const bool& as_json);

}  // namespace touchmark::cli::gateway
