// When the certificates of servers end.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/doctor/check.h"

namespace touchmark::cli::commands::doctor {

// Of those that showed one. `advice`: how one is renewed.
Findings judge_ends(const std::vector<const Server*>& servers, UnixTime now,
                    const std::string& advice);

}  // namespace touchmark::cli::commands::doctor
