#include "verifier/routes/table.h"

#include <array>

#include "protocol/limits.h"
#include "protocol/messages/answer.h"
#include "protocol/messages/challenge.h"

namespace touchmark::verifier::routes {
namespace {

using enum http::Access;
using enum http::RunOn;

constexpr std::uint64_t kNoBody = 0;
constexpr bool kUpload = true;
constexpr bool kInMemory = false;

// clang-format off
constexpr auto kTable = std::to_array<Row>({
    {"POST",   protocol::kChallengePath,   kPublic,    kIo,     protocol::kMaxChallengeBody, kInMemory, challenge},
    {"POST",   protocol::kAttestPath,      kPublic,    kIo,     protocol::kMaxAttestBody,  kInMemory, attest},
    {"GET",    "/healthz",                   kPublic,    kIo,     kNoBody,                   kInMemory, health},
    {"GET",    "/readyz",                    kPublic,    kIo,     kNoBody,                   kInMemory, readiness},

    {"POST",   "/admin/v1/registrations",    kDeveloper, kLong,   kNoBody,                   kUpload,   add_registration},
    {"GET",    "/admin/v1/registrations",    kDeveloper, kWorker, kNoBody,                   kInMemory, list_registrations},
    {"GET",    "/admin/v1/registrations/*",  kDeveloper, kWorker, kNoBody,                   kInMemory, show_registration},
    {"PATCH",  "/admin/v1/registrations/*",  kDeveloper, kWorker, kMaxSmallBody,             kInMemory, expire_registration},
    {"DELETE", "/admin/v1/registrations/*",  kDeveloper, kWorker, kNoBody,                   kInMemory, remove_registration},

    {"POST",   "/admin/v1/certificates",     kDeveloper, kWorker, kMaxSmallBody,             kInMemory, add_certificate},
    {"GET",    "/admin/v1/certificates",     kDeveloper, kWorker, kNoBody,                   kInMemory, list_certificates},
    {"PATCH",  "/admin/v1/certificates/*",   kDeveloper, kWorker, kMaxSmallBody,             kInMemory, expire_certificate},
    {"DELETE", "/admin/v1/certificates/*",   kDeveloper, kWorker, kNoBody,                   kInMemory, remove_certificate},

    {"PUT",    "/admin/v1/apis",             kDeveloper, kWorker, kMaxSmallBody,             kInMemory, put_api},
    {"GET",    "/admin/v1/apis",             kDeveloper, kWorker, kNoBody,                   kInMemory, list_apis},
    {"DELETE", "/admin/v1/apis/*",           kDeveloper, kWorker, kNoBody,                   kInMemory, remove_api},
    {"GET",    "/admin/v1/config",           kDeveloper, kIo,     kNoBody,                   kInMemory, show_configuration},
    {"GET",    "/admin/v1/sdk/android",      kDeveloper, kWorker, kNoBody,                   kInMemory, send_android_sdk},

    {"GET",    "/admin/v1/policy",           kDeveloper, kIo,     kNoBody,                   kInMemory, show_policy},
    {"PUT",    "/admin/v1/policy",           kAdmin,     kWorker, kMaxPolicyBody,            kInMemory, put_policy},
    {"POST",   "/admin/v1/policy/canary",    kAdmin,     kWorker, kMaxSmallBody,             kInMemory, end_canary},
    {"POST",   "/admin/v1/policy/replay",    kDeveloper, kLong,   kMaxPolicyBody,            kInMemory, replay_policy},
    {"GET",    "/admin/v1/devices",          kDeveloper, kWorker, kNoBody,                   kInMemory, list_devices},
    {"GET",    "/admin/v1/device",           kDeveloper, kWorker, kNoBody,                   kInMemory, show_device},
    {"PUT",    "/admin/v1/device",           kDeveloper, kWorker, kMaxSmallBody,             kInMemory, force_device},

    {"GET",    "/admin/v1/log",              kDeveloper, kWorker, kNoBody,                   kInMemory, show_log},
    {"GET",    "/admin/v1/status",           kDeveloper, kIo,     kNoBody,                   kInMemory, show_status},
    {"GET",    "/admin/v1/secret",           kAdmin,     kWorker, kNoBody,                   kInMemory, read_secret},
    {"GET",    "/admin/v1/audit",            kAdmin,     kWorker, kNoBody,                   kInMemory, show_audit_log},
    {"POST",   "/admin/v1/token/check",      kDeveloper, kIo,     kMaxSmallBody,             kInMemory, check_token},
    {"POST",   "/admin/v1/token/example",    kDeveloper, kWorker, kMaxSmallBody,             kInMemory, make_example_token},
});
// clang-format on

}  // namespace

std::span<const Row> table() { return kTable; }

}  // namespace touchmark::verifier::routes
