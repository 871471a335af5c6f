// touchmark policy check|test|replay: what a policy would do, before it is in force.
#pragma once

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

void add_policy_trials(line::Command& group, Dispatcher& dispatcher);

}  // namespace touchmark::cli::commands
