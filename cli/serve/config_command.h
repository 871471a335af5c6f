// `touchmark serve config check|show`: what the options are and who said so, without a service.
#pragma once

#include "cli/io/exit_code.h"
#include "cli/serve/option_sources.h"

namespace touchmark::cli::serve {

// All that is wrong, files that options name included; without a look into the data folder.
// `as_json`: one line of JSON on standard output.
io::ExitCode check_configuration(const Configuration& configuration, bool as_json);

// Each option that is in force, and where it came from.
io::ExitCode show_configuration(const Configuration& configuration, bool as_json);

// Prints a configuration file with every option, commented out. One text, as it is for both.
io::ExitCode print_example();

// "touchmark: --listen: ..." for each, on standard error, and what to do.
void print_problems(const Configuration& configuration);

}  // namespace touchmark::cli::serve
