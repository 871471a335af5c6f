// touchmark package verify|measure|show|diff: looks at packages on this machine, without a service
// (except for registrations that diff is asked about).
#pragma once

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

void add_package_command(line::Command& app, Dispatcher& dispatcher);
// package_diff_command.cc
void add_package_diff_command(line::Command& group, Dispatcher& dispatcher);

}  // namespace touchmark::cli::commands
