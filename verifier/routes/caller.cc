#include "verifier/routes/caller.h"

#include "base/text.h"
#include "verifier/http/problem.h"

namespace touchmark::verifier::routes {
namespace {

// A package may call itself what it likes.
constexpr std::size_t kMaxQuoted = 256;

std::string quoted(const std::string& text) { return "\"" + text.substr(0, kMaxQuoted) + "\""; }

}  // namespace

Result<void> check_permission(const model::OperatorToken& caller, model::Permission permission) {
  if (model::may(caller.role, permission)) return {};
  return fail(http::HttpError::kForbidden, "this needs the role " + model::roles_with(permission) +
                                               " (" + std::string(to_string(permission)) + "); " +
                                               quoted(caller.name) + " has the role " +
                                               std::string(to_string(caller.role)));
}

Result<void> check_app(const model::OperatorToken& caller, const std::string& package) {
  if (model::is_for_app(caller, package)) return {};
  return fail(http::HttpError::kForbidden, quoted(caller.name) + " is for " + join(caller.apps) +
                                               " alone, and this package is " + quoted(package));
}

}  // namespace touchmark::verifier::routes
