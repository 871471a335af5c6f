// The meanings of the exit statuses, for people (the numbers are in exit_code.h).
#pragma once

#include <span>

#include "cli/exit_code.h"

namespace touchmark::cli {

struct ExitStatus {
  ExitCode code;
  const char* meaning;
};

std::span<const ExitStatus> exit_statuses();

}  // namespace touchmark::cli
