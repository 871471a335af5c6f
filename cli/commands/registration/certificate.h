// touchmark registration add-certificate: the part of the group that is about signing certificates.
#pragma once

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

inline constexpr const char* kCertificatesPath = "/admin/v1/certificates";

void add_certificate_command(line::Command& group, Dispatcher& dispatcher);

}  // namespace touchmark::cli::commands
