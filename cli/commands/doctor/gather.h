// Asks for what `touchmark doctor` judges.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/commands/command_context.h"
#include "cli/commands/doctor/facts.h"

namespace touchmark::cli::commands::doctor {

// Of options HOST=ADDRESS: IP addresses by host. kUsage.
Result<std::map<std::string, std::string>> read_addresses(const std::vector<std::string>& options);

struct Question {
  Limits limits{};
  // IP addresses at which the servers of these hosts are looked at, in place of what the names
  // resolve to.
  std::map<std::string, std::string> addresses{};
};

// Fails only where no service is set up to be asked; what goes wrong later is a fact.
Result<Facts> gather(const Question& question, Session& session);

// The API domains alone, each with what its server shows now; of `only` one, unless it is empty. A
// service that does not answer is an error, and so is a domain that it does not have (kNotFound).
Result<Facts> gather_apis(const Question& question, const std::string& only, Session& session);

}  // namespace touchmark::cli::commands::doctor
