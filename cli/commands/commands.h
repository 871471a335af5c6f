// The command groups. Each function adds one group to the command line; the table in
// command_line.cc puts them in the order of --help.
#pragma once

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

void add_init_command(line::Command& app, Dispatcher& dispatcher);
void add_status_command(line::Command& app, Dispatcher& dispatcher);
void add_doctor_command(line::Command& app, Dispatcher& dispatcher);
void add_ready_command(line::Command& app, Dispatcher& dispatcher);
void add_whoami_command(line::Command& app, Dispatcher& dispatcher);
void add_registration_commands(line::Command& app, Dispatcher& dispatcher);
void add_api_commands(line::Command& app, Dispatcher& dispatcher);
void add_sdk_commands(line::Command& app, Dispatcher& dispatcher);
void add_token_commands(line::Command& app, Dispatcher& dispatcher);
void add_secret_commands(line::Command& app, Dispatcher& dispatcher);
void add_keyset_commands(line::Command& app, Dispatcher& dispatcher);
void add_policy_commands(line::Command& app, Dispatcher& dispatcher);
void add_device_commands(line::Command& app, Dispatcher& dispatcher);
void add_log_command(line::Command& app, Dispatcher& dispatcher);
void add_evidence_commands(line::Command& app, Dispatcher& dispatcher);
void add_arc_commands(line::Command& app, Dispatcher& dispatcher);
void add_operator_commands(line::Command& app, Dispatcher& dispatcher);
void add_pin_command(line::Command& app, Dispatcher& dispatcher);
void add_backup_command(line::Command& app, Dispatcher& dispatcher);
void add_restore_command(line::Command& app, Dispatcher& dispatcher);
void add_service_commands(line::Command& app, Dispatcher& dispatcher);
void add_audit_commands(line::Command& app, Dispatcher& dispatcher);
void add_version_command(line::Command& app, Dispatcher& dispatcher);
void add_man_command(line::Command& app, Dispatcher& dispatcher);
void add_help_command(line::Command& app, Dispatcher& dispatcher);
void add_complete_command(line::Command& app, Dispatcher& dispatcher);
void add_completion_command(line::Command& app, Dispatcher& dispatcher);

// A subcommand that only holds others.
line::Command* add_group(line::Command& app, const char* name, const char* description);

// Prints `json` on one line: what --json gives for every command. Unix times get their text in RFC
// 3339 beside them.
io::ExitCode print_json(Session& session, const Json& json);

}  // namespace touchmark::cli::commands
