// What an operator should know of a release that is registered although it may not do what they
// expect. Only another service's configuration is also a reason to refuse (Registry).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "package/model/measurement.h"

namespace touchmark::verifier::state {

struct RegistrationWarning {
  // "no-sdk", "older-sdk", "sdk-missing-for-abi", "min-sdk", "no-configuration",
  // "bad-configuration", "other-service", "older-configuration", "unknown-signer", "debuggable",
  // "test-only", "cleartext", "user-certificates", "network-security"; ids do not change their
  // meaning.
  std::string_view id;
  std::string message;  // one line for people
};

// The lowest API level that the SDK's own manifest allows (attester/android/AndroidManifest.xml).
inline constexpr std::uint32_t kSdkMinApiLevel = 23;

// What the app's own configuration, its asset touchmark-initial.config, is to this service.
enum class AppConfiguration {
  kOwn,
  kMissing,     // no such asset
  kUnreadable,  // not a configuration, or not signed by the key in it
  kOther,       // of another account, or signed by another key than this service's
  kOlder,       // this service's own of before: the app has what changed with its first token alone
};

// "own", "missing", "unreadable", "other", "older".
std::string_view to_string(AppConfiguration configuration);

// What the certificates that a release is signed with are to this service.
enum class AppSigner {
  kKnown,    // they sign another release of the app that is registered, or are registered
  kFirst,    // nothing is registered for the app yet that they could be compared with
  kUnknown,  // what is registered for the app has other signers
};
// "known", "first", "unknown".
std::string_view to_string(AppSigner signer);
// The part with that asset; nullptr where there is none.
const package::Part* configuration_part(const package::Measurement& measurement);
// `text`: of the asset, when there is one. `own`: the configuration that this service makes.
AppConfiguration compare_configuration(const std::optional<std::string>& text,
                                       std::string_view own);
// The service that a configuration is of, for people: its addresses, bounded. "" where it is none.
std::string service_of(const std::optional<std::string>& text);

// The ABIs of the native libraries in a package, base and splits together, sorted: those for which
// it has libtouchmark.so, and those for which it has other libraries alone. On a device that takes
// one of the latter the SDK cannot load.
struct SdkAbis {
  std::vector<std::string> with;
  std::vector<std::string> without;
};
SdkAbis sdk_abis(const package::Measurement& measurement);

// `version`: of this service, "0.1.0"; an SDK of an earlier one is older.
std::vector<RegistrationWarning> registration_warnings(const package::Measurement& measurement,
                                                       std::string_view version,
                                                       AppConfiguration configuration,
                                                       AppSigner signer);

}  // namespace touchmark::verifier::state
