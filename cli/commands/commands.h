// The command groups. Each function adds one group to the command line; the table in
// command_line.cc puts them in the order of --help.
#pragma once

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

void add_init_command(CLI::App& app, Dispatcher& dispatcher);
void add_status_command(CLI::App& app, Dispatcher& dispatcher);
void add_registration_commands(CLI::App& app, Dispatcher& dispatcher);
void add_api_commands(CLI::App& app, Dispatcher& dispatcher);
void add_sdk_commands(CLI::App& app, Dispatcher& dispatcher);
void add_token_commands(CLI::App& app, Dispatcher& dispatcher);
void add_secret_commands(CLI::App& app, Dispatcher& dispatcher);
void add_policy_commands(CLI::App& app, Dispatcher& dispatcher);
void add_device_commands(CLI::App& app, Dispatcher& dispatcher);
void add_evidence_commands(CLI::App& app, Dispatcher& dispatcher);
void add_arc_commands(CLI::App& app, Dispatcher& dispatcher);
void add_audit_commands(CLI::App& app, Dispatcher& dispatcher);
void add_version_command(CLI::App& app, Dispatcher& dispatcher);
void add_man_command(CLI::App& app, Dispatcher& dispatcher);
void add_completion_command(CLI::App& app, Dispatcher& dispatcher);

// A subcommand that only holds others.
CLI::App* add_group(CLI::App& app, const char* name, const char* description);

// Prints `json` on one line: what --json gives for every command.
io::ExitCode print_json(Session& session, const Json& json);

}  // namespace touchmark::cli::commands
