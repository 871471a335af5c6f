// Manual pages (roff) from the command line's tree.
#pragma once

#include <string>
#include <vector>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

struct ManualPage {
  std::string file;     // "touchmark-registration-add.1"
  std::string command;  // "registration add"; empty for the command itself
  std::string summary;  // one line
  std::string text;
};

// One page for the command itself, and one for each command of the tree.
std::vector<ManualPage> manual_pages(const CLI::App& app);

}  // namespace touchmark::cli::line
