#include "package/content.h"

#include "package/android/manifest.h"
#include "package/android/splits.h"
#include "package/bundle/bundle.h"
#include "package/ios/ipa.h"
#include "package/model/parts.h"

namespace touchmark::package {

Result<void> AppContent::add_splits() {
  auto within = android::PackagesWithin::open(archives_.front());
  if (!within) return pass(within);
  within_ = *std::move(within);
  for (const android::PackageSource& package : within_->packages()) {
    auto archive = zip::ZipArchive::open(*package.source, package.budget);
    if (!archive) return pass(archive);
    const auto manifest = android::read_manifest(*archive);
    if (!manifest) return pass(manifest);
    const std::string prefix =
        manifest->split_name.empty() ? "" : manifest->split_name + std::string(kSplitMark);
    for (std::size_t i = 0; i < archive->entries().size(); ++i) {
      const zip::ZipEntry& entry = archive->entries()[i];
      if (is_part(entry)) places_.emplace(prefix + entry.name, Place{archives_.size(), i});
    }
    archives_.push_back(*std::move(archive));
  }
  return {};
}

Result<AppContent> AppContent::open(const Source& source) {
  auto archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  AppContent out;
  out.archives_.push_back(*std::move(archive));
  const zip::ZipArchive& outer = out.archives_.front();
  if (!bundle::is_bundle(outer) && !ios::is_ipa(outer) && android::is_split_archive(outer)) {
    if (auto ok = out.add_splits(); !ok) return pass(ok);
    return out;
  }
  PartNames name = [](const zip::ZipEntry& entry) { return std::optional(entry.name); };
  if (bundle::is_bundle(outer)) name = bundle::bundle_part_name;
  if (ios::is_ipa(outer)) name = ios::ipa_part_names(outer);
  for (std::size_t i = 0; i < outer.entries().size(); ++i) {
    if (auto part = name(outer.entries()[i])) out.places_.emplace(*std::move(part), Place{0, i});
  }
  return out;
}

Result<void> AppContent::read(std::string_view part_name,
                              const std::function<Result<void>(ByteView)>& sink) const {
  const auto place = places_.find(part_name);
  if (place == places_.end()) return fail(PackageError::kNoSuchPart, std::string(part_name));
  const zip::ZipArchive& archive = archives_[place->second.archive];
  return archive.stream(archive.entries()[place->second.entry], sink);
}

}  // namespace touchmark::package
