// Asks for what `touchmark doctor` judges.
#pragma once

#include <map>
#include <string>

#include "cli/commands/command_context.h"
#include "cli/commands/doctor/facts.h"

namespace touchmark::cli::commands::doctor {

struct Question {
  Limits limits{};
  // IP addresses at which the servers of these hosts are looked at, in place of what the names
  // resolve to.
  std::map<std::string, std::string> addresses{};
};

// Fails only where no service is set up to be asked; what goes wrong later is a fact.
Result<Facts> gather(const Question& question, Session& session);

}  // namespace touchmark::cli::commands::doctor
