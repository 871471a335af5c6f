// The Mach-O images in an iOS app: what a phone will have in memory of each file.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/ios/image.h"
#include "package/ios/mach_o.h"
#include "package/model/measurement.h"

namespace touchmark::package::ios {

// The images of one file, each for another processor.
struct ImageFile {
  const zip::ZipEntry* entry = nullptr;
  std::string path;  // within the app's folder
  struct Slice {
    MachSlice place;
    Image image;
  };
  std::vector<Slice> slices;
};

// Of the files in `folder` ("Payload/Example.app/"), those that an iPhone could load; what is for
// an Apple Watch is left out. Fails with MachOError or ImageError for a file that begins as an
// image does and is none, with IpaError::kEncrypted and kTooManyImages.
Result<std::vector<ImageFile>> find_images(const zip::ZipArchive& archive, std::string_view folder);

// Streams the bytes of a part, which `slice` has, in pieces.
Result<void> read_image_part(const zip::ZipArchive& archive, const ImageFile& file,
                             const ImageFile::Slice& slice, const ImagePart& part,
                             const std::function<Result<void>(ByteView)>& sink);

// The parts of all images, sorted by name.
Result<std::vector<Part>> digest_images(const zip::ZipArchive& archive,
                                        const std::vector<ImageFile>& files);
// What people want to know of them, those of `executable` first.
Result<std::vector<AppImage>> describe_images(const zip::ZipArchive& archive,
                                              const std::vector<ImageFile>& files,
                                              std::string_view executable);

}  // namespace touchmark::package::ios
