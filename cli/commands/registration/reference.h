// Which registration a person means: by id, the beginning of one, the package, or its name.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/command_context.h"
#include "cli/commands/package/app_files.h"
#include "package/package.h"

namespace touchmark::cli::commands {

inline constexpr const char* kRegistrationsPath = "/admin/v1/registrations";

// The two lists of what is registered.
struct Registered {
  Json releases;      // array
  Json certificates;  // array
};
Result<Registered> read_registered(service::AdminClient& client);

// Measures the app here. The signers of a bundle that names none in `how` are the certificate that
// is registered for just this app; `how` names them then.
Result<package::Measurement> measure_here(const AppFiles& app, package::MeasureOptions& how,
                                          service::AdminClient& client);

// The ids that `words` mean: each an id, the beginning of one, a package file, or
// NAME[@VERSION] with a version's name or code. kNotFound when one means nothing, kUsage when it
// means several, which are listed.
Result<std::vector<std::string>> registration_ids(const std::vector<std::string>& words,
                                                  service::AdminClient& client);

// "com.example.app-1.0[1]" of a release, the subject of a certificate.
std::string registered_name(const Json& row);

}  // namespace touchmark::cli::commands
