// The meanings of the exit statuses, for people (the numbers are in exit_code.h).
#pragma once

#include <span>

#include "cli/io/exit_code.h"

namespace touchmark::cli::io {

struct ExitStatus {
  ExitCode code;
  const char* meaning;
};

std::span<const ExitStatus> exit_statuses();

}  // namespace touchmark::cli::io
