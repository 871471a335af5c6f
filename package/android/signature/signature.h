// Verifies an APK's signatures as a platform of the given API levels would (AOSP's apksig is the
// reference): JAR signing (v1), APK Signature Scheme v2, v3, v3.1 and v4, and the source stamp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/zip/zip.h"

namespace touchmark::package::signature {

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
  Sha256Digest certificate_sha256{};
};

// A signature by whoever delivered the package, such as a store. Android does not ask for it.
struct SourceStamp {
  Bytes certificate;  // DER
  Sha256Digest certificate_sha256{};
  std::int64_t time = 0;  // of stamping, unix seconds; 0 when it does not say
};

struct SignatureReport {
  std::vector<std::string> schemes;         // those that verified, of those the API levels look at
  std::vector<SignerInfo> signers;          // whom the platform takes as the app's signers
  std::vector<LineageCertificate> lineage;  // of the proof of rotation, oldest first
  std::optional<SourceStamp> stamp;         // when there is one that verifies
  std::vector<std::string> warnings;        // "id: text"
};

struct SignatureOptions {
  std::uint32_t min_sdk = 0;  // 0: the manifest's minSdkVersion
  std::uint32_t max_sdk = 0;  // 0: the newest known
  // The v4 signature (app.apk.idsig), to be verified too; nullptr: none. Platforms before Android 7
  // have no scheme that it could belong to, so it counts only for API levels from 24 on.
  const Source* v4_signature = nullptr;
};

// What the verdict needs of AndroidManifest.xml.
struct ManifestFacts {
  std::uint32_t min_sdk = 1;
  std::uint32_t target_sdk = 1;
  std::uint32_t target_sandbox_version = 1;
};

// Fails with the first reason against the package: a SignatureError, or the container reader's when
// content cannot be read. Digests on all cores, with a fixed amount of memory for each.
Result<SignatureReport> verify_signatures(const zip::ZipArchive& archive,
                                          const ManifestFacts& manifest,
                                          const SignatureOptions& options = {});

}  // namespace touchmark::package::signature
