#include "verifier/routes/table.h"

#include <array>

#include "protocol/limits.h"
#include "protocol/messages/answer.h"
#include "protocol/messages/challenge.h"

namespace touchmark::verifier::routes {
namespace {

using enum model::Permission;
using enum http::RunOn;

constexpr std::uint64_t kNoBody = 0;
constexpr bool kUpload = true;
constexpr bool kInMemory = false;

// clang-format off
constexpr auto kTable = std::to_array<Row>({
    {"POST",   protocol::kChallengePath,       kPublic,              kIo,     protocol::kMaxChallengeBody,  kInMemory, challenge},
    {"POST",   protocol::kAttestPath,          kPublic,              kIo,     protocol::kMaxAttestBody,     kInMemory, attest},
    {"GET",    "/healthz",                     kPublic,              kIo,     kNoBody,                      kInMemory, health},
    {"GET",    "/.well-known/jwks.json",       kPublic,              kIo,     kNoBody,                      kInMemory, show_jwks},
    {"GET",    "/readyz",                      kPublic,              kIo,     kNoBody,                      kInMemory, readiness},

    {"POST",   "/admin/v1/registrations",      kAddRegistrations,    kLong,   kNoBody,                      kUpload,   add_registration},
    {"GET",    "/admin/v1/registrations",      kReadRegistrations,   kWorker, kNoBody,                      kInMemory, list_registrations},
    {"GET",    "/admin/v1/registrations/*",    kReadRegistrations,   kWorker, kNoBody,                      kInMemory, show_registration},
    {"PATCH",  "/admin/v1/registrations/*",    kChangeRegistrations, kWorker, kMaxSmallBody,                kInMemory, expire_registration},
    {"DELETE", "/admin/v1/registrations/*",    kChangeRegistrations, kWorker, kNoBody,                      kInMemory, remove_registration},

    {"POST",   "/admin/v1/certificates",       kChangeCertificates,  kWorker, kMaxCertificatesBody,         kInMemory, add_certificate},
    {"GET",    "/admin/v1/certificates",       kReadCertificates,    kWorker, kNoBody,                      kInMemory, list_certificates},
    {"PATCH",  "/admin/v1/certificates/*",     kChangeCertificates,  kWorker, kMaxSmallBody,                kInMemory, expire_certificate},
    {"DELETE", "/admin/v1/certificates/*",     kChangeCertificates,  kWorker, kNoBody,                      kInMemory, remove_certificate},

    {"PUT",    "/admin/v1/apis",               kChangeApis,          kWorker, kMaxSmallBody,                kInMemory, put_api},
    {"GET",    "/admin/v1/apis",               kReadApis,            kWorker, kNoBody,                      kInMemory, list_apis},
    {"DELETE", "/admin/v1/apis/*",             kChangeApis,          kWorker, kNoBody,                      kInMemory, remove_api},
    {"GET",    "/admin/v1/config",             kReadConfiguration,   kIo,     kNoBody,                      kInMemory, show_configuration},
    {"GET",    "/admin/v1/sdk",                kReadSdk,             kWorker, kNoBody,                      kInMemory, list_sdk_versions},
    {"GET",    "/admin/v1/sdk/android",        kReadSdk,             kWorker, kNoBody,                      kInMemory, send_android_sdk},
    {"GET",    "/admin/v1/sdk/maven/**",       kReadSdk,             kWorker, kNoBody,                      kInMemory, send_maven_file},
    {"GET",    "/admin/v1/sdk/npm/*",          kReadSdk,             kWorker, kNoBody,                      kInMemory, send_npm_package},
    {"GET",    "/admin/v1/sdk/swift/*",        kReadSdk,             kWorker, kNoBody,                      kInMemory, send_swift_package},

    {"GET",    "/admin/v1/policy",             kReadPolicy,          kIo,     kNoBody,                      kInMemory, show_policy},
    {"PUT",    "/admin/v1/policy",             kChangePolicy,        kWorker, kMaxPolicyBody,               kInMemory, put_policy},
    {"POST",   "/admin/v1/policy/canary",      kChangePolicy,        kWorker, kMaxSmallBody,                kInMemory, end_canary},
    {"POST",   "/admin/v1/policy/replay",      kTryPolicy,           kLong,   kMaxPolicyBody,               kInMemory, replay_policy},
    {"GET",    "/admin/v1/devices",            kReadDevices,         kWorker, kNoBody,                      kInMemory, list_devices},
    {"GET",    "/admin/v1/device",             kReadDevices,         kWorker, kNoBody,                      kInMemory, show_device},
    {"PUT",    "/admin/v1/device",             kForceDevices,        kWorker, kMaxSmallBody,                kInMemory, force_device},

    {"GET",    "/admin/v1/log",                kReadDevices,         kWorker, kNoBody,                      kInMemory, show_log},
    {"GET",    "/admin/v1/whoami",             kWhoAmI,              kIo,     kNoBody,                      kInMemory, show_caller},
    {"GET",    "/admin/v1/status",             kReadStatus,          kIo,     kNoBody,                      kInMemory, show_status},
    {"GET",    "/admin/v1/diagnosis",          kReadDiagnosis,       kWorker, kNoBody,                      kInMemory, show_diagnosis},
    {"GET",    "/admin/v1/secret",             kReadSecrets,         kWorker, kNoBody,                      kInMemory, read_secret},
    {"GET",    "/admin/v1/audit",              kReadAudit,           kWorker, kNoBody,                      kInMemory, show_audit_log},
    {"POST",   "/admin/v1/token/check",        kCheckTokens,         kIo,     kMaxSmallBody,                kInMemory, check_token},
    {"POST",   "/admin/v1/token/example",      kMakeInvalidTokens,   kWorker, kMaxSmallBody,                kInMemory, make_example_token},

    {"GET",    "/admin/v1/keysets",            kReadKeySets,         kIo,     kNoBody,                      kInMemory, list_key_sets},
    {"POST",   "/admin/v1/keysets",            kChangeKeySets,       kLong,   kMaxSmallBody,                kInMemory, add_key_set},
    {"PATCH",  "/admin/v1/keysets/*",          kChangeKeySets,       kLong,   kMaxSmallBody,                kInMemory, change_key_set},
    {"DELETE", "/admin/v1/keysets/*",          kChangeKeySets,       kWorker, kNoBody,                      kInMemory, remove_key_set},
    {"GET",    "/admin/v1/token/long-lived",   kReadKeySets,         kIo,     kNoBody,                      kInMemory, list_long_lived_tokens},
    {"POST",   "/admin/v1/token/long-lived",   kMakeValidTokens,     kWorker, kMaxSmallBody,                kInMemory, make_long_lived_token},
    {"DELETE", "/admin/v1/token/long-lived/*", kMakeValidTokens,     kWorker, kNoBody,                      kInMemory, revoke_long_lived_token},

    {"GET",    "/admin/v1/operators",          kReadOperators,       kIo,     kNoBody,                      kInMemory, list_operators},
    {"POST",   "/admin/v1/operators",          kChangeOperators,     kWorker, kMaxSmallBody,                kInMemory, add_operator},
    {"DELETE", "/admin/v1/operators/*",        kChangeOperators,     kWorker, kNoBody,                      kInMemory, revoke_operator},

    {"GET",    "/admin/v1/service-keys",       kReadStatus,          kWorker, kNoBody,                      kInMemory, show_service_keys},
    {"PUT",    "/admin/v1/service-keys/next",  kChangeServiceKeys,   kWorker, kMaxSmallBody,                kInMemory, announce_service_key},
    {"DELETE", "/admin/v1/service-keys/next",  kChangeServiceKeys,   kWorker, kNoBody,                      kInMemory, cancel_service_key},
    {"POST",   "/admin/v1/service-keys/promote", kChangeServiceKeys, kWorker, kMaxSmallBody,                kInMemory, promote_service_key},

    {"POST",   "/admin/v1/backups",            kMakeBackups,         kLong,   kMaxSmallBody,                kInMemory, make_backup},
    {"GET",    "/admin/v1/backups/*",          kMakeBackups,         kWorker, kNoBody,                      kInMemory, read_backup},
    {"PATCH",  "/admin/v1/backups/*",          kMakeBackups,         kWorker, kMaxSmallBody,                kInMemory, end_backup},
});
// clang-format on

}  // namespace

std::span<const Row> table() { return kTable; }

}  // namespace touchmark::verifier::routes
