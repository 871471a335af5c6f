#include "package/android/splits.h"

#include <algorithm>

#include "package/android/describe.h"
#include "package/model/member.h"
#include "package/model/parts.h"

namespace touchmark::package::android {
namespace {

constexpr std::size_t kMaxPackages = 500;
constexpr std::size_t kMaxInflatedPackage = std::size_t{48} << 20;

struct OpenPackage {
  std::string name;  // for messages
  zip::ZipArchive archive;
  Manifest manifest;
};

Result<std::vector<OpenPackage>> open_packages(std::span<const PackageSource> sources) {
  if (sources.size() > kMaxPackages) {
    return fail(SplitError::kTooMany, std::to_string(sources.size()) + " packages");
  }
  std::vector<OpenPackage> packages;
  for (const PackageSource& source : sources) {
    auto archive = zip::ZipArchive::open(*source.source, source.budget);
    if (!archive) return in_member(source.name, archive.error());
    auto manifest = read_manifest(*archive);
    if (!manifest) return in_member(source.name, manifest.error());
    std::string name = source.name;
    if (name.empty()) name = manifest->split_name.empty() ? "the base" : manifest->split_name;
    packages.push_back({std::move(name), *std::move(archive), *std::move(manifest)});
  }
  // The base has no split name, so it comes first.
  const auto name = [](const OpenPackage& p) -> const std::string& {
    return p.manifest.split_name;
  };
  std::ranges::sort(packages, {}, name);
  return packages;
}

Result<void> check_belong_together(const std::vector<OpenPackage>& packages) {
  if (packages.empty() || !packages.front().manifest.split_name.empty()) {
    return fail(SplitError::kNoBase, "no base package among the splits");
  }
  const OpenPackage& first = packages.front();
  const Manifest& base = first.manifest;
  for (std::size_t i = 1; i < packages.size(); ++i) {
    const OpenPackage& package = packages[i];
    const Manifest& split = package.manifest;
    if (split.split_name.empty()) {
      return fail(SplitError::kSeveralBases, first.name + " and " + package.name +
                                                 " are two base packages: give those that one "
                                                 "device would install");
    }
    if (split.split_name == packages[i - 1].manifest.split_name) {
      return fail(SplitError::kDuplicateSplit, packages[i - 1].name + " and " + package.name +
                                                   " are both the split " + split.split_name);
    }
    if (split.package_name != base.package_name) {
      return fail(SplitError::kOtherApp,
                  package.name + ": " + split.split_name + " belongs to " + split.package_name);
    }
    if (split.version_code != base.version_code) {
      return fail(SplitError::kOtherVersion, package.name + ": " + split.split_name +
                                                 " has version " +
                                                 std::to_string(split.version_code));
    }
  }
  return {};
}

bool is_package(const zip::ZipEntry& entry) {
  return entry.name.ends_with(".apk") && !is_companion(entry.name);
}

// Verifies one package as the platform would that installs the base.
Result<signature::SignatureReport> verify(const OpenPackage& package, const Manifest& base,
                                          const MeasureOptions& options) {
  auto report = signature::verify_signatures(package.archive, facts_of(base),
                                             {options.min_sdk, options.max_sdk, nullptr});
  if (!report) return in_member(package.name, report.error());
  return report;
}

Result<void> add_parts(const OpenPackage& package, std::vector<Part>& out) {
  auto parts = digest_parts(package.archive);
  if (!parts) return in_member(package.name, parts.error());
  const std::string& split = package.manifest.split_name;
  for (Part& part : *parts) {
    if (part.name.find(kSplitMark) != part.name.npos) {
      return fail(SplitError::kPartName,
                  package.name + ": " + part.name + " looks like a part of a split");
    }
    if (!split.empty()) part.name = split + std::string(kSplitMark) + part.name;
    out.push_back(std::move(part));
  }
  return {};
}

}  // namespace

std::string_view error_id(SplitError error) {
  using enum SplitError;
  static constexpr auto kIds = error_table<SplitError>({
      {kNoBase, "splits.no-base"},
      {kSeveralBases, "splits.several-bases"},
      {kDuplicateSplit, "splits.duplicate-split"},
      {kOtherApp, "splits.other-app"},
      {kOtherVersion, "splits.other-version"},
      {kOtherSigners, "splits.other-signers"},
      {kPartName, "splits.part-name"},
      {kTooMany, "splits.too-many"},
      {kCompressed, "splits.compressed"},
      {kSplitAlone, "splits.split-alone"},
  });
  return kIds[error];
}

Result<Measurement> measure_splits(std::span<const PackageSource> sources,
                                   const MeasureOptions& options) {
  auto packages = open_packages(sources);
  if (!packages) return pass(packages);
  if (auto ok = check_belong_together(*packages); !ok) return pass(ok);
  OpenPackage& base = packages->front();
  for (const OpenPackage& package : *packages) {
    if (&package == &base) continue;
    auto ok = add_split_network_configuration(package.archive, base.manifest);
    if (!ok) return in_member(package.name, ok.error());
  }
  Measurement measurement = describe(base.manifest);
  measurement.form = packages->size() == 1 ? Form::kApk : Form::kSplits;
  for (const OpenPackage& package : *packages) {
    const auto report = verify(package, base.manifest, options);
    if (!report) return pass(report);
    const std::vector<Sha256Digest> before = measurement.signers;
    set_signers(*report, measurement);
    if (&package != &base && measurement.signers != before) {
      return fail(SplitError::kOtherSigners,
                  package.name + ": " + package.manifest.split_name + " has other signers");
    }
    if (auto ok = add_parts(package, measurement.parts); !ok) return pass(ok);
  }
  std::ranges::sort(measurement.parts, {}, &Part::name);
  auto sdk_version = read_sdk_version(base.archive);
  if (!sdk_version) return in_member(base.name, sdk_version.error());
  measurement.sdk_version = *std::move(sdk_version);
  return measurement;
}

Result<Measurement> measure_splits(std::span<const Source* const> sources,
                                   const MeasureOptions& options) {
  std::vector<PackageSource> packages;
  packages.reserve(sources.size());
  for (const Source* source : sources) packages.push_back({"", source});
  return measure_splits(packages, options);
}

bool is_companion(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return name.starts_with("__MACOSX/") ||
         name.substr(slash == name.npos ? 0 : slash + 1).starts_with("._");
}

bool is_split_archive(const zip::ZipArchive& archive) {
  return archive.find("AndroidManifest.xml") == nullptr &&
         std::ranges::any_of(archive.entries(), is_package);
}

Result<PackagesWithin> PackagesWithin::open(const zip::ZipArchive& archive) {
  PackagesWithin out;
  for (const zip::ZipEntry& entry : archive.entries()) {
    if (!is_package(entry)) continue;
    if (out.packages_.size() == kMaxPackages) {
      return fail(SplitError::kTooMany, "over " + std::to_string(kMaxPackages) + " packages");
    }
    if (entry.method == 0) {
      out.sources_.push_back(
          std::make_unique<SourcePart>(archive.source(), entry.data_offset, entry.size));
    } else if (entry.size > kMaxInflatedPackage) {
      return fail(SplitError::kCompressed, entry.name + ": unpack the archive first");
    } else {
      auto bytes = archive.read(entry, kMaxInflatedPackage);
      if (!bytes) return in_member(entry.name, bytes.error());
      out.sources_.push_back(from_memory(*std::move(bytes)));
    }
    out.packages_.push_back({entry.name, out.sources_.back().get(), archive.shared_budget()});
  }
  return out;
}

Result<Measurement> measure_split_archive(const zip::ZipArchive& archive,
                                          const MeasureOptions& options) {
  const auto within = PackagesWithin::open(archive);
  if (!within) return pass(within);
  return measure_splits(within->packages(), options);
}

}  // namespace touchmark::package::android
