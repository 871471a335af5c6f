// Verifies an APK's signatures as a platform of the given API levels would (AOSP's apksig is the
// reference): JAR signing (v1), APK Signature Scheme v2, v3 and v3.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "package/zip.h"

namespace touchmark::package {

// One enumerator per reason for a refusal; error_id() gives "signature.v2.digest-mismatch" and so
// on. The enumerators stand in signature_error.h.
enum class SignatureError : int;

struct SignerInfo {
  Bytes certificate;  // DER, as it stands in the package
  Sha256Digest certificate_sha256{};
  std::string scheme;  // "v1", "v2", "v3", "v3.1"
};

// What an old signing certificate may still do, by the flags in the proof of rotation.
enum LineageCapability : std::uint32_t {
  kCapabilityInstalledData = 1,
  kCapabilitySharedUserId = 2,
  kCapabilityPermission = 4,
  kCapabilityRollback = 8,
  kCapabilityAuthenticator = 16,
};

struct LineageCertificate {
  Bytes certificate;               // DER
  std::uint32_t capabilities = 0;  // LineageCapability flags
};

struct SignatureReport {
  std::vector<std::string> schemes;         // those that verified, of those the API levels look at
  std::vector<SignerInfo> signers;          // whom the platform takes as the app's signers
  std::vector<LineageCertificate> lineage;  // of the proof of rotation, oldest first
  std::vector<std::string> warnings;        // "id: text"
};

struct SignatureOptions {
  std::uint32_t min_sdk = 0;  // 0: the manifest's minSdkVersion
  std::uint32_t max_sdk = 0;  // 0: the newest known
};

// `manifest_min_sdk` and `manifest_target_sandbox` come from AndroidManifest.xml.
struct ManifestFacts {
  std::uint32_t min_sdk = 1;
  std::uint32_t target_sdk = 1;
  std::uint32_t target_sandbox_version = 1;
};

Result<SignatureReport> verify_signatures(const ZipArchive& archive, const ManifestFacts& manifest,
                                          const SignatureOptions& options = {});

}  // namespace touchmark::package
