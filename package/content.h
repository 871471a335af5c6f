// The content of an app's parts, in any of the forms that measure() takes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/android/splits.h"
#include "package/ios/app_images.h"
#include "package/package.h"

namespace touchmark::package {

// Immutable after open(); usable from many threads. Holds a reference to the source, and of an
// archive of split APKs the directories of all of them.
class AppContent {
 public:
  // Finds the parts by the names that measure() gives them, and verifies nothing: what is read has
  // to be compared with a measurement's digest.
  static Result<AppContent> open(const Source& source);

  // Streams a part in pieces; kNoSuchPart when it is absent.
  Result<void> read(std::string_view part_name,
                    const std::function<Result<void>(ByteView)>& sink) const;

 private:
  struct Place {
    std::size_t archive;  // index into archives_
    std::size_t entry;    // index into its entries
  };
  Result<void> add_splits();
  Result<void> add_images();

  // Of an archive of split APKs, the packages in it, and their archives after its own.
  std::optional<android::PackagesWithin> within_;
  std::vector<zip::ZipArchive> archives_;
  std::map<std::string, Place, std::less<>> places_;
  // Of an iOS app. Indices: the entries that they point to move with their archive.
  struct ImagePlace {
    std::size_t file;
    std::size_t slice;
    std::size_t part;
  };
  std::vector<ios::ImageFile> images_;
  std::map<std::string, ImagePlace, std::less<>> image_parts_;
};

}  // namespace touchmark::package
