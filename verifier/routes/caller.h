// What a caller may do, where the route alone does not say it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "verifier/model/permission.h"

namespace touchmark::verifier::routes {

// HttpError::kForbidden, naming the roles that have the permission.
Result<void> check_permission(const model::OperatorToken& caller, model::Permission permission);
// HttpError::kForbidden when `caller` is not for the app with this package name.
Result<void> check_app(const model::OperatorToken& caller, const std::string& package);

}  // namespace touchmark::verifier::routes
