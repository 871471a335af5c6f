// Errors of a reader know nothing of the file that their bytes are from; the user sees only that.
#pragma once

#include <string>

#include "base/budget.h"
#include "base/error.h"

namespace touchmark::package {

// The same error, with the name of the file within the package before its message.
inline tl::unexpected<Error> in_member(const std::string& name, const Error& error) {
  return tl::unexpected<Error>(name.empty() ? error
                                            : error.reworded(name + ": " + error.message()));
}

// A file that is too expensive is refused even where what was read could be done without.
inline bool is_over_budget(const Error& error) {
  return error.is(BudgetError::kBytes) || error.is(BudgetError::kSteps);
}

}  // namespace touchmark::package
