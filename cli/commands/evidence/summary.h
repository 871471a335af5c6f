// What evidence says, for people: a few lines of the most telling facts, or all of it as a tree.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace touchmark::cli::commands {

// Lines for the result of one verification.
std::vector<std::string> summarize_evidence(const Json& result);

// Every member as "name: value", members of objects two spaces further in.
std::vector<std::string> evidence_tree(const Json& json);

}  // namespace touchmark::cli::commands
