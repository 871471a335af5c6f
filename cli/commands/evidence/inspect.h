// `touchmark evidence inspect`: says what evidence holds, whatever it is and whoever made it.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

Outcome inspect_evidence(const std::vector<std::string>& paths, Session& session);

}  // namespace touchmark::cli::commands
