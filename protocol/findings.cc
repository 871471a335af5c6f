#include "protocol/findings.h"

#include <algorithm>
#include <array>

namespace touchmark::protocol {
namespace {

using enum FindingId;
using enum FoundBy;

constexpr std::array kFindings{
    FindingInfo{kAppNotRegistered, "app.not-registered", kVerifier,
                "no registration has this measurement"},
    FindingInfo{kAppRegistrationExpired, "app.registration-expired", kVerifier,
                "the registration's time is over"},
    FindingInfo{kAppRangeProof, "app.range-proof", kVerifier,
                "the range proof does not match the registered parts"},
    FindingInfo{kAppPathMismatch, "app.path-mismatch", kAttester,
                "the package the platform names is not the one this code was loaded from"},
    FindingInfo{kAppUnreadable, "app.unreadable", kAttester,
                "the package could not be read or its signature does not verify"},
    FindingInfo{kAppCodeNotFromPackage, "app.code-not-from-package", kAttester,
                "the SDK's own loaded library differs from the one in the package"},
    FindingInfo{kAppClaimsMismatch, "app.claims-mismatch", kVerifier,
                "package, version, signers or parts differ from the registration with this "
                "measurement"},
    FindingInfo{kAppInstaller, "app.installer", kVerifier,
                "installed from a source that the policy does not allow"},
    FindingInfo{kAppDevelopment, "app.development", kVerifier,
                "signed with a certificate that is registered for development"},
    FindingInfo{kChallengeInvalid, "challenge.invalid", kVerifier,
                "the challenge was not made by this service"},
    FindingInfo{kChallengeExpired, "challenge.expired", kVerifier, "the challenge's time is over"},
    FindingInfo{kChallengeReplayed, "challenge.replayed", kVerifier,
                "the challenge was spent before"},
    FindingInfo{kEvidenceWrongAccount, "evidence.wrong-account", kVerifier,
                "evidence made for another account"},
    FindingInfo{kEvidenceChecksMissing, "evidence.checks-missing", kVerifier,
                "the client did not run every check"},
    FindingInfo{kEvidenceUnknownFinding, "evidence.unknown-finding", kVerifier,
                "the client reported a finding that this service does not know"},
    FindingInfo{kAppByCertificate, "app.by-certificate", kVerifier,
                "known only by its signing certificate: no registration has this measurement, and "
                "the signer is the app's own word"},
    FindingInfo{kAppVirtualSpace, "app.virtual-space", kAttester,
                "the app runs inside another app: a virtual space or a cloner"},
    FindingInfo{kNetworkMitm, "network.mitm", kVerifier,
                "TLS exporter or service key seen by the client differ from this connection's"},
    FindingInfo{kHookTextModified, "hook.text-modified", kAttester,
                "executable memory differs from its file"},
    FindingInfo{kHookImportRedirected, "hook.import-redirected", kAttester,
                "an imported function resolves outside the module that should hold it"},
    FindingInfo{kHookUnknownCode, "hook.unknown-code", kAttester,
                "an executable mapping that no installed file or known runtime explains"},
    FindingInfo{kHookFramework, "hook.framework", kAttester,
                "a mark of a known instrumentation framework"},
    FindingInfo{kHookPreload, "hook.preload", kAttester,
                "a library was injected through the loader's environment"},
    FindingInfo{kHookJavaMethod, "hook.java-method", kAttester,
                "a Java method of the SDK or of the platform leads to foreign code"},
    FindingInfo{kHookJni, "hook.jni", kAttester,
                "JNI's functions, or the registration of a native method, lead to foreign code"},
    FindingInfo{kHookHiddenCode, "hook.hidden-code", kAttester,
                "the loader knows a library that the list of memory does not show"},
    FindingInfo{kHookForeignClasses, "hook.foreign-classes", kAttester,
                "classes are loaded from another app's package, or from a folder of nobody's",
                Level::kAnnotate},
    FindingInfo{kDebugAttached, "debug.attached", kAttester, "a debugger traces the process"},
    FindingInfo{kDebugBreakpoint, "debug.breakpoint", kAttester,
                "a breakpoint instruction stands in executable memory where its file has another"},
    FindingInfo{
        kDebugDebuggable, "debug.debuggable", kAttester,
        "the process is open to debuggers of Java: its flag, a thread of theirs, or an agent"},
    FindingInfo{kRootSu, "root.su", kAttester, "a root manager or its tools are present"},
    FindingInfo{kRootTestKeys, "root.test-keys", kAttester,
                "the system image is signed with public test keys"},
    FindingInfo{kRootWritableSystem, "root.writable-system", kAttester,
                "a system folder is writable"},
    FindingInfo{kRootMounts, "root.mounts", kAttester,
                "files of the system are covered by mounts that a root manager makes"},
    FindingInfo{
        kRootBootState, "root.boot-state", kAttester,
        "the system says of itself that its boot loader is unlocked, or nobody verified it"},
    FindingInfo{kRootDebuggableSystem, "root.debuggable-system", kAttester,
                "the system is a build for debugging"},
    FindingInfo{kRootSelinux, "root.selinux", kAttester, "SELinux does not enforce its rules"},
    FindingInfo{kRootChangedProperty, "root.changed-property", kAttester,
                "a property of the system that never changes was changed since the start",
                Level::kAnnotate},
    FindingInfo{kRootJailbreak, "root.jailbreak", kAttester,
                "a jailbreak, or what it installs, is on the iPhone"},
    FindingInfo{kDeviceEmulator, "device.emulator", kAttester, "the device is an emulator"},
    FindingInfo{kDeviceHostBuild, "device.host-build", kVerifier,
                "the SDK was built for a Linux host (the lab), not for a phone; refused unless the "
                "policy allows host builds"},
    FindingInfo{kDeviceFiltered, "device.filtered", kVerifier,
                "a device filter of the policy refuses this kind of device"},
    FindingInfo{kDeviceForcedFail, "device.forced-fail", kVerifier,
                "an operator has said that this device fails"},
    FindingInfo{kDevicePatchLevel, "device.patch-level", kVerifier,
                "a security patch level is older than the policy's minimum"},
    FindingInfo{kDeviceOsVersion, "device.os-version", kVerifier,
                "the operating system is older than the policy's minimum"},
    FindingInfo{kHardwareAssurance, "hardware.assurance", kVerifier,
                "the assurance level is below the one that the policy requires"},
    FindingInfo{kHardwareRefused, "hardware.refused", kVerifier,
                "the hardware evidence does not verify"},
    FindingInfo{kHardwareRevoked, "hardware.revoked", kVerifier,
                "a certificate of the hardware evidence is revoked or suspended"},
    FindingInfo{kHardwareRevocationUnknown, "hardware.revocation-unknown", kVerifier,
                "the revocation list is missing or too old"},
    FindingInfo{kHardwareOtherKey, "hardware.other-key", kVerifier,
                "the hardware evidence is about another key than the installation key"},
    FindingInfo{kHardwareOtherApp, "hardware.other-app", kVerifier,
                "the hardware evidence names another app"},
    FindingInfo{kHardwareReplayed, "hardware.replayed", kVerifier,
                "the hardware evidence is used again: its counter or challenge is spent"},
    FindingInfo{kHardwareDevelopment, "hardware.development", kVerifier,
                "made in a development environment"},
    FindingInfo{kHardwareVersion, "hardware.version", kVerifier,
                "the attestation or KeyMint version is below the policy's minimum"},
    FindingInfo{kBootUnlocked, "boot.unlocked", kVerifier, "the boot loader is unlocked"},
    FindingInfo{kBootUnverified, "boot.unverified", kVerifier,
                "the system is neither verified nor signed by an allowed boot key"},
    FindingInfo{kPlayApp, "play.app", kVerifier,
                "Google Play does not recognise the app, or it is not licensed"},
    FindingInfo{kPlayDevice, "play.device", kVerifier,
                "Google Play does not give the device a label that the policy requires"},
    FindingInfo{kPlayEnvironment, "play.environment", kVerifier,
                "Google Play reports apps or activity that the policy refuses"},
    FindingInfo{
        kSurroundingsAccessibility, "surroundings.accessibility", kAttester,
        "an accessibility service that no store installed can read the screen and act for the user",
        Level::kAnnotate},
    FindingInfo{kSurroundingsOverlay, "surroundings.overlay", kAttester,
                "another app's window lay over this app's when it was touched", Level::kAnnotate},
    FindingInfo{kSurroundingsVpn, "surroundings.vpn", kAttester,
                "the device's connections go through a VPN", Level::kAnnotate},
    FindingInfo{kSurroundingsProxy, "surroundings.proxy", kAttester,
                "the device's connections go through a proxy", Level::kAnnotate},
    FindingInfo{kDeviceKernel, "device.kernel", kAttester,
                "system calls answer as no Linux kernel does"},
    FindingInfo{kDeviceMemory, "device.memory", kAttester,
                "the process's memory is not laid out, or not listed, as a phone's kernel does it"},
    FindingInfo{kDeviceProcessor, "device.processor", kAttester,
                "instructions do what no processor does"},
    FindingInfo{kDeviceTiming, "device.timing", kAttester,
                "code takes far longer at its first run, as where it is translated",
                Level::kAnnotate},
    FindingInfo{kDeviceLibc, "device.libc", kAttester,
                "the C library is older than the release of Android that the device says it runs"},
};

}  // namespace

std::string_view to_string(FoundBy found_by) {
  return found_by == kVerifier ? "verifier" : "attester";
}

std::string_view to_string(Level level) { return level == Level::kReject ? "reject" : "annotate"; }

std::span<const FindingInfo> all_findings() { return kFindings; }

const FindingInfo* find_finding(std::string_view id) {
  const auto* found = std::ranges::find(kFindings, id, &FindingInfo::id);
  return found == kFindings.end() ? nullptr : found;
}

const FindingInfo* find_finding(std::uint8_t number) {
  const auto* found =
      std::ranges::find(kFindings, static_cast<FindingId>(number), &FindingInfo::number);
  return found == kFindings.end() ? nullptr : found;
}

std::string_view to_string(FindingId number) {
  const FindingInfo* info = find_finding(static_cast<std::uint8_t>(number));
  return info != nullptr ? info->id : "unknown";
}

bool refuse_challenge(std::span<const Finding> findings) {
  return std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.id == FindingId::kChallengeInvalid ||
           finding.id == FindingId::kChallengeExpired ||
           finding.id == FindingId::kChallengeReplayed;
  });
}

}  // namespace touchmark::protocol
