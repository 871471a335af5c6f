// What each role may do: one table. Each route names the permission that it needs
// (verifier/routes/table.cc); docs/operations.md shows the table to people, and
// tests/structure/test_permissions.py keeps the two equal.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "verifier/model/operator.h"

namespace touchmark::verifier::model {

enum class Permission {
  kPublic,  // what anybody may ask, without a token
  kWhoAmI,
  kReadStatus,
  kReadDiagnosis,
  kReadRegistrations,
  kAddRegistrations,
  kChangeRegistrations,  // when they end
  kReadCertificates,
  kChangeCertificates,
  kReadApis,
  kChangeApis,
  kReadConfiguration,
  kReadSdk,
  kReadPolicy,
  kTryPolicy,
  kChangePolicy,
  kReadDevices,
  kForceDevices,
  kCheckTokens,
  kMakeInvalidTokens,
  kMakeValidTokens,
  kReadSecrets,
  kReadKeySets,
  kChangeKeySets,
  kReadAudit,
  kMakeBackups,
  kChangeServiceKeys,
  kReadOperators,
  kChangeOperators,
};

struct PermissionRow {
  Permission permission;
  std::string_view name;  // "devices.force"
  unsigned roles;         // one bit for each, 1 << Role
};

// A row for each permission but kPublic, in the enum's order.
std::span<const PermissionRow> permissions();

// A permission without a row is nobody's, except kPublic, which is everybody's.
bool may(Role role, Permission permission);
// "public" for kPublic.
std::string_view to_string(Permission permission);
// The roles that have it, for people: "admin", "admin or helpdesk", "admin, developer or ci".
std::string roles_with(Permission permission);

}  // namespace touchmark::verifier::model
