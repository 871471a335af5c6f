// What a policy judges: facts about the app, the device and the hardware behind it, gathered by the
// appraisal (or from evidence files by the command). Plain data; absent means that the evidence did
// not say. Nothing in here has been judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace touchmark::verifier::policy {

// Who vouches for the installation key, from nobody to separate secure hardware.
enum class Assurance {
  kSoftware,   // the app's own word
  kPlatform,   // a platform service's word (Play Integrity)
  kTee,        // the processor's trusted environment
  kSecureChip  // StrongBox, Secure Enclave
};

enum class BootState { kVerified, kSelfSigned, kUnverified, kFailed };  // Android's names

// From a hardware-enforced list only (Android Key Attestation).
struct BootFacts {
  bool locked = false;
  BootState state = BootState::kUnverified;
  Bytes key;  // verifiedBootKey as attested: 32 bytes on current phones; all zero when unverified
};

// Levels are numbers as the platform states them: YYYYMM, or YYYYMMDD where it gives a day.
struct AndroidFacts {
  std::optional<BootFacts> boot;
  std::optional<std::uint32_t> os_version;  // 140000
  std::optional<std::uint32_t> os_patch_level;
  std::optional<std::uint32_t> vendor_patch_level;
  std::optional<std::uint32_t> boot_patch_level;
  std::optional<std::uint32_t> attestation_version;  // 1 to 500
  std::optional<std::uint32_t> keymint_version;
};

struct AppAttestFacts {
  bool production = false;                           // the environment of the key
  std::optional<std::uint32_t> validation_category;  // iOS 27: who let the app be installed
};

struct PlayFacts {
  std::string app_recognition;                  // "PLAY_RECOGNIZED"
  std::vector<std::string> device_recognition;  // "MEETS_DEVICE_INTEGRITY", ...
  std::string app_licensing;                    // "LICENSED"
  std::vector<std::string> recent_device_activity;
  std::vector<std::string> apps_detected;  // appAccessRiskVerdict
  std::string play_protect;
  std::optional<std::uint32_t> sdk_version;  // deviceAttributes.sdkVersion
  bool test_response = false;  // testingDetails: the verdict was set in the Play Console
};

// Of an SDK build that is neither of a mobile platform nor the lab's. It is given the strictest
// rules, and `device.host-build` always rejects it.
inline constexpr std::string_view kUnknownPlatform = "unknown";

struct Facts {
  std::string platform;  // "android", "ios", "host" or kUnknownPlatform
  std::string os_version;
  std::string manufacturer;
  std::string model;
  std::string installer;  // package name of the installer, as the app's own code reports it
  std::string package_name;
  std::uint64_t version_code = 0;
  std::string sdk_version;
  std::string device_id;
  std::string ip;
  bool development_key = false;  // the app is signed with a certificate marked as development's

  Assurance assurance = Assurance::kSoftware;  // of the installation key
  std::optional<AndroidFacts> android{};
  std::optional<AppAttestFacts> app_attest{};
  std::optional<PlayFacts> play{};
};

}  // namespace touchmark::verifier::policy
