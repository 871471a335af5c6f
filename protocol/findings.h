// The findings of protocol/findings.md as code: one table that the attester, the verifier and the
// command line share. A test keeps the table and the document equal.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace touchmark::protocol {

// The value is the finding's byte in the attestation response code; it is never reused.
enum class FindingId : std::uint8_t {
  kAppNotRegistered = 1,
  kAppRegistrationExpired = 2,
  kAppRangeProof = 3,
  kAppPathMismatch = 4,
  kAppUnreadable = 5,
  kAppCodeNotFromPackage = 6,
  kAppClaimsMismatch = 7,
  kAppInstaller = 8,
  kAppDevelopment = 9,
  kChallengeInvalid = 10,
  kChallengeExpired = 11,
  kChallengeReplayed = 12,
  kEvidenceWrongAccount = 13,
  kEvidenceChecksMissing = 14,
  kEvidenceUnknownFinding = 15,
  kAppByCertificate = 16,
  kAppVirtualSpace = 17,
  kNetworkMitm = 20,
  kHookTextModified = 30,
  kHookImportRedirected = 31,
  kHookUnknownCode = 32,
  kHookFramework = 33,
  kHookPreload = 34,
  kHookJavaMethod = 35,
  kHookJni = 36,
  kHookHiddenCode = 37,
  kHookForeignClasses = 38,
  kDebugAttached = 40,
  kDebugBreakpoint = 41,
  kDebugDebuggable = 42,
  kRootSu = 50,
  kRootTestKeys = 51,
  kRootWritableSystem = 52,
  kRootMounts = 53,
  kRootBootState = 54,
  kRootDebuggableSystem = 55,
  kRootSelinux = 56,
  kRootChangedProperty = 57,
  kRootJailbreak = 58,
  kDeviceEmulator = 60,
  kDeviceHostBuild = 61,
  kDeviceFiltered = 62,
  kDeviceForcedFail = 63,
  kDevicePatchLevel = 64,
  kDeviceOsVersion = 65,
  kHardwareAssurance = 70,
  kHardwareRefused = 71,
  kHardwareRevoked = 72,
  kHardwareRevocationUnknown = 73,
  kHardwareOtherKey = 74,
  kHardwareOtherApp = 75,
  kHardwareReplayed = 76,
  kHardwareDevelopment = 77,
  kHardwareVersion = 78,
  kBootUnlocked = 80,
  kBootUnverified = 81,
  kPlayApp = 85,
  kPlayDevice = 86,
  kPlayEnvironment = 87,
  kSurroundingsAccessibility = 90,
  kSurroundingsOverlay = 91,
  kSurroundingsVpn = 92,
  kSurroundingsProxy = 93,
  kDeviceKernel = 110,
  kDeviceMemory = 111,
  kDeviceProcessor = 112,
  kDeviceTiming = 113,
  kDeviceLibc = 114,
};

enum class FoundBy { kVerifier, kAttester };
std::string_view to_string(FoundBy found_by);

// What a finding does where the policy does not speak of it.
enum class Level {
  kReject,    // the token is a decoy
  kAnnotate,  // the token is valid: what was found is notable, and genuine users' phones show it,
              // too
};
std::string_view to_string(Level level);

struct FindingInfo {
  FindingId number;
  std::string_view id;  // "hook.text-modified"
  FoundBy found_by;
  std::string_view meaning;  // one line for a human
  Level level = Level::kReject;
};

// Every finding, in the order of its number.
std::span<const FindingInfo> all_findings();
const FindingInfo* find_finding(std::string_view id);  // nullptr when unknown
const FindingInfo* find_finding(std::uint8_t number);  // nullptr when unknown
// The stable id of a known finding.
std::string_view to_string(FindingId number);

// One finding about one app or device.
struct Finding {
  FindingId id{};
  std::string detail;  // what exactly was seen; holds no secret
  bool operator==(const Finding&) const = default;
};

// Whether one of them is a challenge.* finding: evidence that answers no challenge of this service
// once more. Whoever has seen it can send it, as often as they like.
bool refuse_challenge(std::span<const Finding> findings);

}  // namespace touchmark::protocol
