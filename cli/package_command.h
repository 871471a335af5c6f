// touchmark package verify|measure|show|diff: looks at packages on this machine, without a service.
#pragma once

#include "cli/session.h"

namespace touchmark::cli {

void add_package_command(CLI::App& app, Dispatcher& dispatcher);

}  // namespace touchmark::cli
