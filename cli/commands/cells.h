// Values of a service's answers as the cells of a table show them.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace touchmark::cli::commands {

// In one line; empty where there is no such text.
std::string text_cell(const Json& row, const char* name);
// In the local zone; `without`: what stands for a time that is not there.
std::string time_cell(const Json& row, const char* name, std::string_view without = "?");
// The time "expires", or "never"; what has expired says so.
std::string expiry_cell(const Json& row);

}  // namespace touchmark::cli::commands
