#include "package/bundle/bundle.h"

#include <algorithm>
#include <optional>

#include "package/android/describe.h"
#include "package/model/member.h"
#include "package/model/parts.h"

namespace touchmark::package::bundle {
namespace {

constexpr std::string_view kConfig = "BundleConfig.pb";
constexpr std::string_view kManifest = "base/manifest/AndroidManifest.xml";
constexpr std::string_view kTable = "base/resources.pb";
constexpr std::string_view kSdkAsset = "base/assets/touchmark-sdk.json";
// For the developer's own use: maps, certificates, dependencies. Never delivered.
constexpr std::string_view kMetadata = "BUNDLE-METADATA/";

android::XmlFiles base_files() {
  return {"base/", [](ByteView document, Budget& budget) -> Result<std::unique_ptr<XmlSource>> {
            auto xml = ProtoXml::parse(document, budget);
            if (!xml) return pass(xml);
            return std::make_unique<ProtoXml>(*std::move(xml));
          }};
}

Result<android::Manifest> read_bundle_manifest(const zip::ZipArchive& archive) {
  const zip::ZipEntry* entry = archive.find(kManifest);
  if (entry == nullptr) return fail(BundleError::kNoManifest, "no " + std::string(kManifest));
  const auto document = archive.read(*entry, android::kMaxManifestBytes);
  if (!document) return pass(document);
  Budget& budget = archive.budget();
  auto xml = ProtoXml::parse(*document, budget);
  if (!xml) return in_member(entry->name, xml.error());
  Result<Bytes> bytes{Bytes()};
  const zip::ZipEntry* table_entry = archive.find(kTable);
  if (table_entry != nullptr) bytes = archive.read(*table_entry, android::kMaxResourceTableBytes);
  if (!bytes) return pass(bytes);
  const ProtoTable table(*bytes, budget);
  const ProtoTable* resources = table_entry == nullptr ? nullptr : &table;
  auto manifest = android::parse_manifest(*xml, resources);
  if (!manifest) return in_member(entry->name, manifest.error());
  auto ok = android::read_network_configuration(archive, resources, base_files(), *manifest);
  if (!ok) return pass(ok);
  return manifest;
}

// The path on a device of the file at `path` within a module. Nothing when a module has no such
// place.
std::optional<std::string> installed_path(std::string_view path) {
  const auto below = [&](std::string_view folder) {
    return path.starts_with(folder) && path.size() > folder.size();
  };
  for (const std::string_view folder : {"dex/", "manifest/", "root/"}) {
    if (below(folder)) return std::string(path.substr(folder.size()));
  }
  for (const std::string_view folder : {"lib/", "assets/", "res/", "apex/"}) {
    if (below(folder)) return std::string(path);
  }
  const bool table = path.ends_with(".pb") && path.find('/') == path.npos;
  return table ? std::optional(std::string(path)) : std::nullopt;
}

// The name that a file of the bundle has as a part, "" for what is never delivered.
Result<std::string> part_name(std::string_view path) {
  if (path == kConfig) return std::string(path);
  if (path.starts_with(kMetadata)) return std::string();
  const std::size_t slash = path.find('/');
  const auto unknown = [&] {
    return fail(BundleError::kUnknownPlace, std::string(path) + " is in no place of a bundle");
  };
  if (slash == path.npos || path.find("!/") != path.npos) return unknown();
  const std::string_view module = path.substr(0, slash);
  const auto installed = installed_path(path.substr(slash + 1));
  if (!installed) return unknown();
  return module == "base" ? *installed : std::string(module) + "!/" + *installed;
}

Result<std::vector<Part>> bundle_parts(const zip::ZipArchive& archive) {
  for (const zip::ZipEntry& entry : archive.entries()) {
    if (!is_part(entry)) continue;
    if (auto name = part_name(entry.name); !name) return pass(name);
  }
  auto parts = digest_parts(archive, bundle_part_name);
  if (!parts) return parts;
  for (Part& part : *parts) part.kind = kind_of(path_in_split(part.name));
  const auto doubled = std::ranges::adjacent_find(*parts, {}, &Part::name);
  if (doubled != parts->end()) {
    return fail(BundleError::kPartCollision, "two files become " + doubled->name);
  }
  return parts;
}

}  // namespace

std::optional<std::string> bundle_part_name(const zip::ZipEntry& entry) {
  std::string name = is_part(entry) ? part_name(entry.name).value_or("") : "";
  return name.empty() ? std::nullopt : std::optional(std::move(name));
}

bool is_bundle(const zip::ZipArchive& archive) {
  return archive.find(kConfig) != nullptr && archive.find("AndroidManifest.xml") == nullptr;
}

Result<Measurement> measure_bundle(const zip::ZipArchive& archive,
                                   const std::vector<Sha256Digest>& signers) {
  const auto manifest = read_bundle_manifest(archive);
  if (!manifest) return pass(manifest);
  auto parts = bundle_parts(archive);
  if (!parts) return pass(parts);
  auto sdk_version = android::read_sdk_version(archive, kSdkAsset);
  if (!sdk_version) return pass(sdk_version);

  Measurement measurement = android::describe(*manifest);
  measurement.form = Form::kBundle;
  measurement.sdk_version = *std::move(sdk_version);
  measurement.signers = signers;
  std::ranges::sort(measurement.signers);
  measurement.parts = *std::move(parts);
  return measurement;
}

}  // namespace touchmark::package::bundle
