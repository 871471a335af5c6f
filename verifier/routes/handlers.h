// What each route does. routes/table.h says which request comes to which of them;
// protocol/README.md and protocol/openapi.yaml describe the same from outside.
//
// A handler reads its request, calls one part of the verifier, logs what was done, and writes the
// answer as JSON (routes/json.h). It fails with a problem (RFC 9457). Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>

#include "verifier/http/http.h"
#include "verifier/http/log.h"
#include "verifier/policy/document.h"
#include "verifier/verifier.h"

namespace touchmark::verifier::routes {

// Bounds of bodies, in bytes.
inline constexpr std::uint64_t kMaxSmallBody = 16 * 1024;
inline constexpr std::uint64_t kMaxCertificatesBody = 32 * 1024;  // two of them
// A document as a JSON string may be twice its length, and more with escapes.
inline constexpr std::uint64_t kMaxPolicyBody = 4 * policy::kMaxDocumentBytes;

struct RouteSettings {
  std::filesystem::path sdk_dir;    // holds touchmark_sdk.aar
  std::filesystem::path kept_sdks;  // holds those of other versions; empty: none are kept
  std::uint64_t max_upload = std::uint64_t{2} << 30;
};

struct RouteContext {
  Verifier& verifier;
  http::Log& log;
  const RouteSettings& settings;
};

using Handler = http::HttpResponse(const RouteContext& context, const http::HttpRequest& request);

// routes/attestation.cc: what apps and load balancers ask.
Handler challenge;
Handler attest;
Handler health;
Handler readiness;

// routes/registrations.cc
Handler add_registration;
Handler list_registrations;
Handler show_registration;
Handler expire_registration;
Handler remove_registration;

// routes/certificates.cc
Handler add_certificate;
Handler list_certificates;
Handler expire_certificate;
Handler remove_certificate;

// routes/apis.cc: API domains, and the configuration of apps.
Handler put_api;
Handler list_apis;
Handler remove_api;
Handler show_configuration;

// routes/sdk.cc: the library that an app is built with.
Handler list_sdk_versions;
Handler send_android_sdk;
Handler send_npm_package;
Handler send_maven_file;
Handler send_swift_package;

// routes/policy.cc
Handler show_policy;
Handler put_policy;
Handler end_canary;
Handler replay_policy;

// routes/devices.cc: devices, and what was judged of them.
Handler show_log;
Handler list_devices;
Handler show_device;
Handler force_device;

// routes/operators.cc
Handler show_caller;
Handler list_operators;
Handler add_operator;
Handler revoke_operator;

// routes/service.cc: status, audit log.
Handler show_status;
Handler show_diagnosis;
Handler show_audit_log;

// routes/key_sets.cc: the keys of tokens, and tokens.
Handler show_jwks;
Handler list_key_sets;
Handler add_key_set;
Handler remove_key_set;
Handler change_key_set;
Handler read_secret;
Handler check_token;
Handler make_example_token;
Handler list_long_lived_tokens;
Handler make_long_lived_token;
Handler revoke_long_lived_token;

// routes/service_keys.cc
Handler show_service_keys;
Handler announce_service_key;
Handler cancel_service_key;
Handler promote_service_key;

// routes/backups.cc
Handler make_backup;
Handler read_backup;
Handler end_backup;

}  // namespace touchmark::verifier::routes
