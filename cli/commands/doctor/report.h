// What was found, for people and for scripts. `touchmark doctor` and `touchmark api check` share
// it.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "cli/commands/command_context.h"
#include "cli/commands/doctor/check.h"

namespace touchmark::cli::commands::doctor {

struct Judged {
  const Check* check = nullptr;
  Findings findings{};
};
// By each check whose id begins so.
std::vector<Judged> judge(const Facts& facts, std::string_view prefix = "");

// How many findings there are of each health.
using Counts = std::array<std::size_t, 4>;
Counts count(const std::vector<Judged>& all);
Health worst(const Counts& counts);  // kOk, kWarn or kFail

// A line for each finding, one below it for what to do, and one that counts them.
void print_text(const std::vector<Judged>& all, Session& session);
// {"status","counts":{"ok","skip","warn","fail"},
//  "checks":[{"id","status","subject","message","advice"}]}
Json to_json(const std::vector<Judged>& all);

}  // namespace touchmark::cli::commands::doctor
