// Who operates the service, and what was noted of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace touchmark::verifier::model {

// What each may do is in permission.h.
enum class Role { kAdmin, kDeveloper, kAuditor, kHelpdesk, kCi };
inline constexpr Role kRoles[] = {Role::kAdmin, Role::kDeveloper, Role::kAuditor, Role::kHelpdesk,
                                  Role::kCi};
// "admin", "developer", "auditor", "helpdesk" or "ci".
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

// A person or a machine with a token. The name is what the audit log says of them.
struct OperatorToken {
  std::string name{};
  Role role = Role::kCi;
  Sha256Digest token_sha256{};
  std::optional<UnixTime> expires{};  // nullopt: without an end
  // The packages that a ci token is for; empty for every other role, which is for all.
  std::vector<std::string> apps{};
  UnixTime created{};
  std::string created_by{};
};

// Whether `token` is for the app with this package name.
bool is_for_app(const OperatorToken& token, std::string_view package);

// One line of the audit log.
struct AuditEntry {
  UnixTime time{};
  std::string actor;
  std::string action;  // "registration.add"
  std::string detail;
  Sha256Digest hash{};  // covers the entry before; set by the store
};

}  // namespace touchmark::verifier::model
