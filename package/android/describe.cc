#include "package/android/describe.h"

#include <algorithm>

#include "base/json.h"

namespace touchmark::package::android {
namespace {

constexpr std::size_t kMaxSdkAssetBytes = 4096;
constexpr std::size_t kMaxSdkVersionBytes = 64;

}  // namespace

Measurement describe(const Manifest& manifest) {
  Measurement measurement;
  measurement.package_name = manifest.package_name;
  measurement.version_name = manifest.version_name;
  measurement.version_code = manifest.version_code;
  measurement.label = manifest.label;
  measurement.debuggable = manifest.debuggable;
  measurement.test_only = manifest.test_only;
  measurement.network = manifest.network;
  measurement.min_sdk = manifest.min_sdk;
  measurement.target_sdk = manifest.target_sdk;
  return measurement;
}

void set_signers(const signature::SignatureReport& report, Measurement& out) {
  out.signers.clear();
  out.signers.reserve(report.signers.size());
  for (const signature::SignerInfo& signer : report.signers)
    out.signers.push_back(signer.certificate_sha256);
  std::ranges::sort(out.signers);
  const auto doubled = std::ranges::unique(out.signers);
  out.signers.erase(doubled.begin(), doubled.end());
  if (report.lineage.size() > 1) {
    out.first_signer = report.lineage.front().certificate_sha256;
  }
}

signature::ManifestFacts facts_of(const Manifest& manifest) {
  return {manifest.min_sdk, manifest.target_sdk, manifest.target_sandbox_version};
}

Result<std::string> read_sdk_version(const zip::ZipArchive& archive, std::string_view path) {
  const zip::ZipEntry* entry = archive.find(path);
  if (entry == nullptr || entry->size > kMaxSdkAssetBytes) return std::string();
  const auto bytes = archive.read(*entry, kMaxSdkAssetBytes);
  if (!bytes) return pass(bytes);
  const auto json = parse_json(as_text(*bytes));
  if (!json || !json->is_object()) return std::string();
  const auto version = get_string(*json, "version", kMaxSdkVersionBytes);
  return version ? *version : std::string();
}

}  // namespace touchmark::package::android
