#include "verifier/model/permission.h"

#include <array>
#include <vector>

namespace touchmark::verifier::model {
namespace {

using enum Permission;

constexpr unsigned bit(Role role) { return 1U << static_cast<unsigned>(role); }

constexpr unsigned kAdmin = bit(Role::kAdmin);
constexpr unsigned kDeveloper = bit(Role::kDeveloper);
constexpr unsigned kAuditor = bit(Role::kAuditor);
constexpr unsigned kHelpdesk = bit(Role::kHelpdesk);
constexpr unsigned kCi = bit(Role::kCi);

// A ci token sees and registers its own apps alone, which its handlers see to.
// clang-format off
constexpr auto kTable = std::to_array<PermissionRow>({
    {kWhoAmI,              "whoami",               kAdmin | kDeveloper | kAuditor | kHelpdesk | kCi},
    {kReadStatus,          "status.read",          kAdmin | kDeveloper | kAuditor | kHelpdesk},
    {kReadDiagnosis,       "diagnosis.read",       kAdmin | kAuditor},
    {kReadRegistrations,   "registrations.read",   kAdmin | kDeveloper | kAuditor | kCi},
    {kAddRegistrations,    "registrations.add",    kAdmin | kDeveloper | kCi},
    {kChangeRegistrations, "registrations.change", kAdmin | kDeveloper},
    {kReadCertificates,    "certificates.read",    kAdmin | kDeveloper | kAuditor | kCi},
    {kChangeCertificates,  "certificates.change",  kAdmin | kDeveloper},
    {kReadApis,            "apis.read",            kAdmin | kDeveloper | kAuditor},
    {kChangeApis,          "apis.change",          kAdmin},
    {kReadConfiguration,   "configuration.read",   kAdmin | kDeveloper | kAuditor | kCi},
    {kReadSdk,             "sdk.read",             kAdmin | kDeveloper | kAuditor | kCi},
    {kReadPolicy,          "policy.read",          kAdmin | kDeveloper | kAuditor | kHelpdesk},
    {kTryPolicy,           "policy.try",           kAdmin | kDeveloper},
    {kChangePolicy,        "policy.change",        kAdmin},
    {kReadDevices,         "devices.read",         kAdmin | kDeveloper | kAuditor | kHelpdesk},
    {kForceDevices,        "devices.force",        kAdmin | kHelpdesk},
    {kCheckTokens,         "tokens.check",         kAdmin | kDeveloper},
    {kMakeInvalidTokens,   "tokens.make-invalid",  kAdmin | kDeveloper},
    {kMakeValidTokens,     "tokens.make-valid",    kAdmin},
    {kReadSecrets,         "secrets.read",         kAdmin},
    {kReadKeySets,         "keysets.read",         kAdmin | kDeveloper | kAuditor},
    {kChangeKeySets,       "keysets.change",       kAdmin},
    {kReadAudit,           "audit.read",           kAdmin | kAuditor},
    {kMakeBackups,         "backups.make",         kAdmin},
    {kChangeServiceKeys,   "service-keys.change",  kAdmin},
    {kReadOperators,       "operators.read",       kAdmin | kAuditor},
    {kChangeOperators,     "operators.change",     kAdmin},
});
// clang-format on

// Each permission has its row: the enum ends where the table does.
static_assert(kTable.size() == static_cast<std::size_t>(kChangeOperators));
static_assert([] {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].permission) != i + 1) return false;
  }
  return true;
}());

const PermissionRow* row_of(Permission permission) {
  if (permission == kPublic) return nullptr;
  return &kTable.at(static_cast<std::size_t>(permission) - 1);
}

}  // namespace

std::span<const PermissionRow> permissions() { return kTable; }

bool may(Role role, Permission permission) {
  const PermissionRow* row = row_of(permission);
  return row == nullptr || (row->roles & bit(role)) != 0;
}

std::string_view to_string(Permission permission) {
  const PermissionRow* row = row_of(permission);
  return row == nullptr ? "public" : row->name;
}

std::string roles_with(Permission permission) {
  std::vector<std::string_view> names;
  for (const Role role : kRoles) {
    if (may(role, permission)) names.push_back(to_string(role));
  }
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

}  // namespace touchmark::verifier::model
