#include "package/package.h"

#include <algorithm>

#include "package/android/describe.h"
#include "package/android/manifest.h"
#include "package/android/signature/signature.h"
#include "package/android/splits.h"
#include "package/bundle/bundle.h"
#include "package/inspection.h"
#include "package/ios/ipa.h"
#include "package/model/member.h"
#include "package/model/parts.h"

namespace touchmark::package {
namespace {

// The piece of [at, at + piece.size()) that lies within [begin, end).
ByteView overlap(ByteView piece, std::uint64_t at, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t from = std::max(at, begin);
  const std::uint64_t to = std::min(at + piece.size(), end);
  if (from >= to) return {};
  return piece.subspan(static_cast<std::size_t>(from - at), static_cast<std::size_t>(to - from));
}

Result<Measurement> describe_apk(const zip::ZipArchive& archive, const android::Manifest& manifest,
                                 const signature::SignatureReport& report) {
  auto parts = digest_parts(archive);
  if (!parts) return pass(parts);
  auto sdk_version = android::read_sdk_version(archive);
  if (!sdk_version) return pass(sdk_version);
  Measurement measurement = android::describe(manifest);
  measurement.sdk_version = *std::move(sdk_version);
  android::set_signers(report, measurement);
  measurement.parts = *std::move(parts);
  return measurement;
}

Result<Measurement> measure_apk(const zip::ZipArchive& archive, const MeasureOptions& options) {
  const auto manifest = android::read_manifest(archive);
  if (!manifest) return pass(manifest);
  if (!manifest->split_name.empty()) {
    return fail(android::SplitError::kSplitAlone,
                "only the split " + manifest->split_name + ": give its base with it");
  }
  const auto report = signature::verify_signatures(archive, android::facts_of(*manifest),
                                                   {options.min_sdk, options.max_sdk, nullptr});
  if (!report) return pass(report);
  return describe_apk(archive, *manifest, *report);
}

// Each package by itself, as the platform verifies them; the base's report.
Result<signature::SignatureReport> verify_split_archive(
    const zip::ZipArchive& archive, const signature::SignatureOptions& options) {
  const MeasureOptions levels{.min_sdk = options.min_sdk, .max_sdk = options.max_sdk};
  const auto within = android::PackagesWithin::open(archive);
  if (!within) return pass(within);
  // Whether they are one app, too.
  if (auto ok = android::measure_splits(within->packages(), levels); !ok) return pass(ok);
  for (const android::PackageSource& package : within->packages()) {
    const auto inner = zip::ZipArchive::open(*package.source, package.budget);
    if (!inner) return in_member(package.name, inner.error());
    const auto manifest = android::read_manifest(*inner);
    if (!manifest) return in_member(package.name, manifest.error());
    if (!manifest->split_name.empty()) continue;
    auto report = signature::verify_signatures(*inner, android::facts_of(*manifest),
                                               {options.min_sdk, options.max_sdk});
    if (report) return report;
    return in_member(package.name, report.error());
  }
  return fail(android::SplitError::kNoBase, "no base package among the splits");
}

}  // namespace

std::string_view error_id(PackageError error) {
  using enum PackageError;
  static constexpr auto kIds = error_table<PackageError>({
      {kNoSuchPart, "package.no-such-part"},
      {kRangeTooLarge, "package.range-too-large"},
  });
  return kIds[error];
}

Result<signature::SignatureReport> verify(const Source& source,
                                          const signature::SignatureOptions& options) {
  const auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  if (bundle::is_bundle(*archive)) {
    return fail(bundle::BundleError::kNotInstallable, "a bundle is not what a device installs");
  }
  if (ios::is_ipa(*archive)) {
    auto measurement = ios::measure_ipa(*archive, {});
    if (!measurement) return pass(measurement);
    signature::SignatureReport report = inspection_of(*std::move(measurement)).signatures.value();
    report.schemes = {"codesign"};
    return report;
  }
  if (android::is_split_archive(*archive)) return verify_split_archive(*archive, options);
  const auto manifest = android::read_manifest(*archive);
  if (!manifest) return pass(manifest);
  return signature::verify_signatures(*archive, android::facts_of(*manifest), options);
}

Result<Measurement> measure_apk(const Source& source, const MeasureOptions& options) {
  const auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  return measure_apk(*archive, options);
}

Result<Measurement> measure(const Source& source, const MeasureOptions& options) {
  const auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  if (bundle::is_bundle(*archive)) {
    auto measurement = bundle::measure_bundle(*archive, options.bundle_signers);
    if (measurement) measurement->first_signer = options.bundle_first_signer;
    return measurement;
  }
  if (ios::is_ipa(*archive)) return ios::measure_ipa(*archive, options);
  if (android::is_split_archive(*archive)) return android::measure_split_archive(*archive, options);
  return measure_apk(*archive, options);
}

Inspection inspection_of(Measurement measurement) {
  signature::SignatureReport report;
  for (const Sha256Digest& signer : measurement.signers) report.signers.push_back({{}, signer, {}});
  return {std::move(measurement), std::move(report)};
}

Result<Inspection> inspect(const Source& source, const MeasureOptions& options) {
  const auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  if (bundle::is_bundle(*archive) || ios::is_ipa(*archive) || android::is_split_archive(*archive)) {
    auto measurement = measure(source, options);
    if (!measurement) return pass(measurement);
    return inspection_of(*std::move(measurement));
  }
  const auto manifest = android::read_manifest(*archive);
  if (!manifest) return pass(manifest);
  auto report = signature::verify_signatures(*archive, android::facts_of(*manifest),
                                             {options.min_sdk, options.max_sdk, nullptr});
  auto measurement =
      describe_apk(*archive, *manifest, report ? *report : signature::SignatureReport());
  if (!measurement) return pass(measurement);
  return Inspection{*std::move(measurement), std::move(report)};
}

Result<Bytes> read_part_range(const Source& source, std::string_view name, std::uint64_t offset,
                              std::uint64_t length) {
  if (length > kMaxRangeBytes) {
    return fail(PackageError::kRangeTooLarge, std::to_string(length) + " bytes asked for");
  }
  const auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  const zip::ZipEntry* entry = archive->find(name);
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
  const auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  const zip::ZipEntry* entry = archive->find(name);
  if (entry == nullptr) return fail(PackageError::kNoSuchPart, std::string(name));
  return archive->stream(*entry, sink);
}

}  // namespace touchmark::package
