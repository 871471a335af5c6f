#include "package/package.h"

#include <algorithm>

#include "base/json.h"
#include "package/inspection.h"
#include "package/manifest.h"
#include "package/parts.h"
#include "package/signature.h"

namespace touchmark::package {
namespace {

constexpr std::string_view kSdkAsset = "assets/touchmark-sdk.json";
constexpr std::size_t kMaxSdkAssetBytes = 4096;
constexpr std::size_t kMaxSdkVersionBytes = 64;

// What the SDK's asset says; empty when the package has no SDK or the asset is not of its form. It
// is a hint for people: the part digests, not this text, identify the SDK.
Result<std::string> read_sdk_version(const ZipArchive& archive) {
  const ZipEntry* entry = archive.find(kSdkAsset);
  if (entry == nullptr || entry->size > kMaxSdkAssetBytes) return std::string();
  const auto bytes = archive.read(*entry, kMaxSdkAssetBytes);
  if (!bytes) return pass(bytes);
  const auto json = parse_json(as_text(*bytes));
  if (!json || !json->is_object()) return std::string();
  const auto version = get_string(*json, "version", kMaxSdkVersionBytes);
  return version ? *version : std::string();
}

std::vector<Sha256Digest> signer_digests(const SignatureReport& report) {
  std::vector<Sha256Digest> digests;
  for (const SignerInfo& signer : report.signers) digests.push_back(signer.certificate_sha256);
  std::ranges::sort(digests);
  const auto doubled = std::ranges::unique(digests);
  digests.erase(doubled.begin(), doubled.end());
  return digests;
}

// The piece of [at, at + piece.size()) that lies within [begin, end).
ByteView overlap(ByteView piece, std::uint64_t at, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t from = std::max(at, begin);
  const std::uint64_t to = std::min(at + piece.size(), end);
  if (from >= to) return {};
  return piece.subspan(static_cast<std::size_t>(from - at), static_cast<std::size_t>(to - from));
}

ManifestFacts facts_of(const Manifest& manifest) {
  return {manifest.min_sdk, manifest.target_sdk, manifest.target_sandbox_version};
}

Result<Measurement> describe(const ZipArchive& archive, const Manifest& manifest,
                             const SignatureReport& report) {
  auto parts = digest_parts(archive);
  if (!parts) return pass(parts);
  auto sdk_version = read_sdk_version(archive);
  if (!sdk_version) return pass(sdk_version);

  Measurement measurement;
  measurement.package_name = manifest.package_name;
  measurement.version_name = manifest.version_name;
  measurement.version_code = manifest.version_code;
  measurement.label = manifest.label;
  measurement.min_sdk = manifest.min_sdk;
  measurement.target_sdk = manifest.target_sdk;
  measurement.sdk_version = *std::move(sdk_version);
  measurement.signers = signer_digests(report);
  measurement.parts = *std::move(parts);
  return measurement;
}

}  // namespace

std::string_view error_id(PackageError error) {
  switch (error) {
    case PackageError::kNoSuchPart:
      return "package.no-such-part";
    case PackageError::kRangeTooLarge:
      return "package.range-too-large";
  }
  return "package.unknown";
}

Result<SignatureReport> verify(const Source& source, const SignatureOptions& options) {
  const auto archive = ZipArchive::open(source);
  if (!archive) return pass(archive);
  const auto manifest = read_manifest(*archive);
  if (!manifest) return pass(manifest);
  return verify_signatures(*archive, facts_of(*manifest), options);
}

Result<Measurement> measure(const Source& source, const MeasureOptions& options) {
  const auto archive = ZipArchive::open(source);
  if (!archive) return pass(archive);
  const auto manifest = read_manifest(*archive);
  if (!manifest) return pass(manifest);
  const auto report =
      verify_signatures(*archive, facts_of(*manifest), {options.min_sdk, options.max_sdk, nullptr});
  if (!report) return pass(report);
  return describe(*archive, *manifest, *report);
}

Result<Inspection> inspect(const Source& source, const MeasureOptions& options) {
  const auto archive = ZipArchive::open(source);
  if (!archive) return pass(archive);
  const auto manifest = read_manifest(*archive);
  if (!manifest) return pass(manifest);
  auto report =
      verify_signatures(*archive, facts_of(*manifest), {options.min_sdk, options.max_sdk, nullptr});
  auto measurement = describe(*archive, *manifest, report ? *report : SignatureReport());
  if (!measurement) return pass(measurement);
  return Inspection{*std::move(measurement), std::move(report)};
}

Result<Bytes> read_part_range(const Source& source, std::string_view name, std::uint64_t offset,
                              std::uint64_t length) {
  if (length > kMaxRangeBytes) {
    return fail(PackageError::kRangeTooLarge, std::to_string(length) + " bytes asked for");
  }
  const auto archive = ZipArchive::open(source);
  if (!archive) return pass(archive);
  const ZipEntry* entry = archive->find(name);
  if (entry == nullptr || offset >= entry->size) return Bytes();
  const std::uint64_t end = offset + std::min(length, entry->size - offset);
  Bytes range;
  std::uint64_t at = 0;
  // Always to the end of the part, so that its CRC-32 is checked too.
  const auto collect = [&](ByteView piece) -> Result<void> {
    append(range, overlap(piece, at, offset, end));
    at += piece.size();
    return {};
  };
  if (auto ok = archive->stream(*entry, collect); !ok) return pass(ok);
  return range;
}

Result<void> read_part(const Source& source, std::string_view name,
                       const std::function<Result<void>(ByteView)>& sink) {
  const auto archive = ZipArchive::open(source);
  if (!archive) return pass(archive);
  const ZipEntry* entry = archive->find(name);
  if (entry == nullptr) return fail(PackageError::kNoSuchPart, std::string(name));
  return archive->stream(*entry, sink);
}

}  // namespace touchmark::package
