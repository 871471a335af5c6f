#include "verifier/model/operator.h"

#include <algorithm>

namespace touchmark::verifier::model {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kAdmin:
      return "admin";
    case Role::kDeveloper:
      return "developer";
    case Role::kAuditor:
      return "auditor";
    case Role::kHelpdesk:
      return "helpdesk";
    case Role::kCi:
      return "ci";
  }
  return "";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : kRoles) {
    if (to_string(role) == text) return role;
  }
  return std::nullopt;
}

bool is_for_app(const OperatorToken& token, std::string_view package) {
  if (token.role != Role::kCi) return true;
  return std::ranges::find(token.apps, package) != token.apps.end();
}

}  // namespace touchmark::verifier::model
