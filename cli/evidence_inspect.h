// `touchmark evidence inspect`: says what evidence holds, whatever it is and whoever made it.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace touchmark::cli {

Outcome inspect_evidence(const std::vector<std::string>& paths, Session& session);

}  // namespace touchmark::cli
