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

Result<void> AppContent::add_images() {
  const zip::ZipArchive& archive = archives_.front();
  auto files = ios::find_images(archive, ios::ipa_folder(archive));
  if (!files) return pass(files);
  images_ = *std::move(files);
  for (std::size_t i = 0; i < images_.size(); ++i) {
    for (std::size_t j = 0; j < images_[i].slices.size(); ++j) {
      const ios::Image& image = images_[i].slices[j].image;
      for (std::size_t k = 0; k < image.parts.size(); ++k) {
        image_parts_.emplace(ios::image_part_name(images_[i].path, image, image.parts[k].name),
                             ImagePlace{i, j, k});
      }
    }
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
  if (ios::is_ipa(outer)) {
    if (auto ok = out.add_images(); !ok) return pass(ok);
  }
  return out;
}

Result<void> AppContent::read(std::string_view part_name,
                              const std::function<Result<void>(ByteView)>& sink) const {
  if (const auto image = image_parts_.find(part_name); image != image_parts_.end()) {
    const ios::ImageFile& file = images_[image->second.file];
    const ios::ImageFile::Slice& slice = file.slices[image->second.slice];
    return ios::read_image_part(archives_.front(), file, slice,
                                slice.image.parts[image->second.part], sink);
  }
  const auto place = places_.find(part_name);
  if (place == places_.end()) return fail(PackageError::kNoSuchPart, std::string(part_name));
  const zip::ZipArchive& archive = archives_[place->second.archive];
  return archive.stream(archive.entries()[place->second.entry], sink);
}

}  // namespace touchmark::package
