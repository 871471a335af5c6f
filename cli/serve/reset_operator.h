// touchmark serve reset-operator: the way back in for whoever has the data folder and no admin
// token.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "cli/serve/options.h"

namespace touchmark::cli::serve {

// Makes an admin token while no service runs on the data folder (kInUse), notes it in the audit log
// and shows it as a first start does: on the terminal, else in --credentials-file or in the data
// folder. Operators::reset() says what `name` is and which tokens end. Gives what to print, as JSON
// {"name","role","token","file","ended":[names]}, with one of token and file null, or as text.
// Makes no data folder: kNoDatabase.
Result<std::string> reset_operator(const ServeOptions& options,
                                   const std::optional<std::string>& name, bool as_json);

}  // namespace touchmark::cli::serve
