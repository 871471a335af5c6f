// touchmark policy check|test|replay: what a policy would do, before it is in force.
#pragma once

#include "cli/session.h"

namespace touchmark::cli {

void add_policy_trials(CLI::App& group, Dispatcher& dispatcher);

}  // namespace touchmark::cli
