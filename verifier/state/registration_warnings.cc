#include "verifier/state/registration_warnings.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/text.h"
#include "protocol/messages/configuration.h"
#include "protocol/sdk_version.h"

namespace touchmark::verifier::state {
namespace {

constexpr std::string_view kLibrary = "libtouchmark.so";
constexpr std::string_view kConfigAsset = "touchmark-initial.config";

// "arm64-v8a" of "lib/arm64-v8a/libx.so", of the base or a split; empty for what is no library.
std::string_view abi_of(const package::Part& part) {
  constexpr std::string_view kFolder = "lib/";
  std::string_view path = package::path_in_split(part.name);
  if (part.kind != package::PartKind::kNativeLibrary || !path.starts_with(kFolder)) return {};
  path.remove_prefix(kFolder.size());
  const std::size_t slash = path.find('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string listed(const std::vector<std::string>& abis) {
  std::string out;
  for (const std::string& abi : abis) out += (out.empty() ? "" : ", ") + shortened(abi);
  return out;
}

void warn_of_abis(const package::Measurement& measurement, std::vector<RegistrationWarning>& out) {
  const SdkAbis abis = sdk_abis(measurement);
  if (!abis.without.empty()) {
    out.push_back({"sdk-missing-for-abi",
                   "the package has libraries for " + listed(abis.without) + " without " +
                       std::string(kLibrary) +
                       ", so the app cannot attest on such devices: build the SDK for these ABIs, "
                       "or leave them out of the package"});
  } else if (abis.with.empty()) {
    out.push_back({"sdk-missing-for-abi",
                   "the package has the Touchmark SDK without " + std::string(kLibrary) +
                       ", so the app cannot attest on any device: build it with the whole AAR "
                       "that `touchmark sdk library` gives, or name its splits as well"});
  }
}

bool is_ios(const package::Measurement& measurement) { return measurement.platform == "iOS"; }

// What gives the SDK that the app is built with.
std::string sdk_command(const package::Measurement& measurement) {
  return is_ios(measurement) ? "`touchmark sdk swift`" : "`touchmark sdk library`";
}

void warn_of_sdk(const package::Measurement& measurement, std::string_view version,
                 std::vector<RegistrationWarning>& out) {
  const auto own = protocol::parse_sdk_version(version);
  const auto sdk = protocol::parse_sdk_version(measurement.sdk_version);
  if (!sdk || (own && *sdk < *own)) {
    out.push_back({"older-sdk",
                   "the package contains the Touchmark SDK " + shortened(measurement.sdk_version) +
                       ", which is older than this service (" + std::string(version) +
                       "): build it with the SDK that " + sdk_command(measurement) + " gives"});
  }
  if (is_ios(measurement)) return;
  warn_of_abis(measurement, out);
  if (measurement.min_sdk < kSdkMinApiLevel) {
    out.push_back(
        {"min-sdk", "the package installs from API level " + std::to_string(measurement.min_sdk) +
                        " on, and the Touchmark SDK works from " + std::to_string(kSdkMinApiLevel) +
                        " on: raise minSdkVersion, or devices below get no token"});
  }
}

void warn_of_configuration(bool ios, AppConfiguration configuration,
                           std::vector<RegistrationWarning>& out) {
  const std::string what_to_do =
      std::string(": put what `touchmark sdk config` writes into the app's ") +
      (ios ? "resources" : "assets") + " and build it again";
  const std::string asset = (ios ? "resource " : "asset ") + std::string(kConfigAsset);
  switch (configuration) {
    case AppConfiguration::kOwn:
      return;
    case AppConfiguration::kMissing:
      out.push_back({"no-configuration", "the package has no " + asset +
                                             ", so unless the app brings its configuration in "
                                             "another way it finds no service" +
                                             what_to_do});
      return;
    case AppConfiguration::kUnreadable:
      out.push_back({"bad-configuration", "the package's " + asset +
                                              " is not a signed configuration, so the app cannot "
                                              "attest" +
                                              what_to_do});
      return;
    case AppConfiguration::kOther:
      out.push_back({"other-service", "the package's " + asset +
                                          " is of another service, so the app never gets a valid "
                                          "token of this one" +
                                          what_to_do});
      return;
    case AppConfiguration::kOlder:
      out.push_back({"older-configuration",
                     "the package's " + asset +
                         " is older than this service's configuration, so a new installation knows "
                         "the present pins and API domains only from its first token on" +
                         what_to_do});
  }
}

void warn_of_signer(const package::Measurement& measurement, AppSigner signer,
                    std::vector<RegistrationWarning>& out) {
  if (signer != AppSigner::kUnknown) return;
  std::string signers;
  for (const Sha256Digest& one : measurement.signers) {
    signers += (signers.empty() ? "" : ", ") + hex_encode(one);
  }
  out.push_back({"unknown-signer",
                 "this service knows no release of " + shortened(measurement.package_name) +
                     " with this signer (SHA-256 of the certificate: " + shortened(signers, 300) +
                     "): make sure that it is your own key, and not a debug or test key; "
                     "`touchmark registration add-certificate` makes a new key known"});
}

// " to a.example, b.example and others", or nothing where everywhere.
std::string hosts_of(const package::AllowedHosts& hosts) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, hosts.domains.size()); ++i) {
    out += (i == 0 ? " to " : ", ") + shortened(hosts.domains[i]);
  }
  return out + (hosts.domains.size() > kShown ? " and others" : "");
}

void warn_of_network(const package::Measurement& measurement,
                     std::vector<RegistrationWarning>& out) {
  const package::NetworkSecurity& network = measurement.network;
  if (!network.unreadable.empty()) {
    out.push_back({"network-security",
                   "the package's network security configuration cannot be read, and the platform "
                   "may fail at it as well (" +
                       shortened(network.unreadable, 300) +
                       "): mend the file that android:networkSecurityConfig names, or the build"});
    return;
  }
  if (network.cleartext.any()) {
    const std::string what_to_do =
        network.configured
            ? "set cleartextTrafficPermitted=\"false\" in its network security configuration"
            : "set android:usesCleartextTraffic=\"false\"";
    out.push_back({"cleartext", "the package allows traffic without TLS" +
                                    hosts_of(network.cleartext) +
                                    ", whose tokens anybody on the way can read: " + what_to_do});
  }
  if (network.user_certificates.any()) {
    const std::string what_to_do = network.configured
                                       ? "leave <certificates src=\"user\"/> to <debug-overrides>"
                                       : "raise targetSdkVersion to 24 or more";
    out.push_back({"user-certificates",
                   "the package trusts certificates that a phone's user installs" +
                       hosts_of(network.user_certificates) +
                       ", so whoever gets one installed reads and changes connections without "
                       "pins: " +
                       what_to_do});
  }
}

}  // namespace

SdkAbis sdk_abis(const package::Measurement& measurement) {
  std::map<std::string_view, bool> has_library;
  for (const package::Part& part : measurement.parts) {
    const std::string_view abi = abi_of(part);
    if (abi.empty()) continue;
    bool& found = has_library[abi];
    found = found || part.name.ends_with("/" + std::string(kLibrary));
  }
  SdkAbis out;
  for (const auto& [abi, found] : has_library) {
    (found ? out.with : out.without).emplace_back(abi);
  }
  return out;
}

const package::Part* configuration_part(const package::Measurement& measurement) {
  const bool ios = is_ios(measurement);
  const std::string asset = (ios ? "/" : "assets/") + std::string(kConfigAsset);
  const auto found = std::ranges::find_if(measurement.parts, [&](const package::Part& part) {
    // On iOS a resource, of the app or of a bundle in it.
    return ios ? part.name == kConfigAsset || part.name.ends_with(asset)
               : package::path_in_split(part.name) == asset;
  });
  return found == measurement.parts.end() ? nullptr : &*found;
}

namespace {

// What the app opens the SDK with: an editor may have left the end of a line behind it.
std::string_view without_end(std::string_view text) {
  while (!text.empty() && text.find_last_of(" \t\r\n") == text.size() - 1) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string service_of(const std::optional<std::string>& text) {
  const auto found = protocol::decode_configuration(without_end(text.value_or("")));
  std::string out;
  for (const std::string& url : found ? found->urls : std::vector<std::string>()) {
    constexpr std::size_t kShown = 120;
    if (out.size() > kShown) return out + " …";
    out += (out.empty() ? "" : ", ") + shortened(url);
  }
  return out;
}

AppConfiguration compare_configuration(const std::optional<std::string>& text,
                                       std::string_view own) {
  if (!text) return AppConfiguration::kMissing;
  const std::string_view compact = without_end(*text);
  const auto app = protocol::decode_configuration(compact);
  if (!app) return AppConfiguration::kUnreadable;
  const auto ours = protocol::decode_configuration(own);
  // With more APIs than an app takes there is none to compare with.
  if (!ours) return AppConfiguration::kOwn;
  const bool same = app->account == ours->account &&
                    protocol::decode_configuration(compact, ours->key).has_value();
  if (!same) return AppConfiguration::kOther;
  return app->version < ours->version ? AppConfiguration::kOlder : AppConfiguration::kOwn;
}

std::string_view to_string(AppConfiguration configuration) {
  switch (configuration) {
    case AppConfiguration::kOwn:
      return "own";
    case AppConfiguration::kMissing:
      return "missing";
    case AppConfiguration::kUnreadable:
      return "unreadable";
    case AppConfiguration::kOther:
      return "other";
    case AppConfiguration::kOlder:
      return "older";
  }
  return "unknown";
}

std::string_view to_string(AppSigner signer) {
  switch (signer) {
    case AppSigner::kKnown:
      return "known";
    case AppSigner::kFirst:
      return "first";
    case AppSigner::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<RegistrationWarning> registration_warnings(const package::Measurement& measurement,
                                                       std::string_view version,
                                                       AppConfiguration configuration,
                                                       AppSigner signer) {
  std::vector<RegistrationWarning> out;
  if (measurement.sdk_version.empty()) {
    out.push_back({"no-sdk",
                   "the package does not contain the Touchmark SDK, so the app cannot attest and "
                   "gets no token: build it with what " +
                       sdk_command(measurement) + " gives"});
  } else {
    warn_of_sdk(measurement, version, out);
  }
  // Without the SDK nothing reads a configuration.
  if (!measurement.sdk_version.empty() || configuration == AppConfiguration::kOther) {
    warn_of_configuration(is_ios(measurement), configuration, out);
  }
  warn_of_signer(measurement, signer, out);
  if (measurement.debuggable) {
    out.push_back({"debuggable",
                   is_ios(measurement)
                       ? "the package lets debuggers in (get-task-allow): it is a development "
                         "build, not a release"
                       : "the package is debuggable: anybody with the phone can attach a debugger "
                         "and change what the app does: register the release build"});
  }
  if (measurement.test_only) {
    out.push_back({"test-only",
                   "the package is marked testOnly, which no store takes: register the release "
                   "build"});
  }
  warn_of_network(measurement, out);
  return out;
}

}  // namespace touchmark::verifier::state
