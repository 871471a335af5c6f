// Policies and verdicts for people: what is wrong with a document, and why a verdict is what it is.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/commands/command_context.h"
#include "verifier/policy/document.h"

namespace touchmark::cli::commands {

// A document read from a file; kUnreadableFile, file.*.
Result<std::string> read_policy_file(const std::string& path);

// "policy.toml:12:5: android.min_os_verson: unknown key; did you mean min_os_version?" for each.
std::vector<std::string> problem_lines(const std::string& path,
                                       const std::vector<verifier::policy::Problem>& problems);
Json problems_json(const std::vector<verifier::policy::Problem>& problems);

// Prints the warnings of a document, as notes. False, with every problem printed, when it is not
// valid.
bool check_document(const std::string& path, const verifier::policy::Document& document,
                    Session& session);

// Notes what the answer says a valid token takes; an older service does not say it.
void note_demand(const Json& answer, Session& session);
// Notes each text in the answer's `warnings`; an older service sends none.
void print_warnings(const Json& answer, Session& session);

// The lines of what policy::explain() gives: one or two for each finding that counts.
std::vector<std::string> verdict_lines(const Json& explained);

// "findings.\"hook.*\" (line 12)", from {"key","line"}.
std::string rule_text(const Json& rule);

}  // namespace touchmark::cli::commands
