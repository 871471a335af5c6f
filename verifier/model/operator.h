// Who operates the service, and what was noted of it.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

namespace touchmark::verifier::model {

enum class Role { kDeveloper, kAdmin };
// "developer" or "admin".
std::string_view to_string(Role role);

struct OperatorToken {
  std::string name;
  Role role = Role::kDeveloper;
  Sha256Digest token_sha256{};
};

// One line of the audit log.
struct AuditEntry {
  UnixTime time{};
  std::string actor;
  std::string action;  // "registration.add"
  std::string detail;
  Sha256Digest hash{};  // covers the entry before; set by the store
};

}  // namespace touchmark::verifier::model
