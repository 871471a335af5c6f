// Apps that are installed as several packages: a base and splits, one for each language, screen
// density or processor. They come as several files, or in one archive (.apks, .xapk, .apkm).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/error.h"
#include "base/source.h"
#include "formats/zip/zip.h"
#include "package/model/measurement.h"

namespace touchmark::package::android {

enum class SplitError {
  kNoBase,          // splits alone
  kSeveralBases,    // packages for several kinds of device: take one device's
  kDuplicateSplit,  // two packages with one split name
  kOtherApp,        // a package of another app
  kOtherVersion,
  kOtherSigners,
  kPartName,    // a part whose name could be taken for a split's
  kTooMany,     // over 500 packages
  kCompressed,  // a package that is compressed within the archive and over 48 MiB
  kSplitAlone,  // one split where a whole app is wanted
};
std::string_view error_id(SplitError error);

// Whether a file is what a Mac adds to an archive beside the file that it is of:
// "__MACOSX/._app.apk",
// "._app.apk". It has the other's name and none of its content.
bool is_companion(std::string_view name);

// An archive of packages, without a manifest of its own.
bool is_split_archive(const zip::ZipArchive& archive);

// One package of an app, with the name that messages give it (a path, or that of an entry), and the
// budget of the archive that it is in; nullptr when it is a file of its own.
struct PackageSource {
  std::string name;
  const Source* source = nullptr;
  std::shared_ptr<Budget> budget = nullptr;
};
// The packages of such an archive, in its order, without companions.
class PackagesWithin {
 public:
  // Takes packages that are compressed into memory, on the archive's budget. `archive` must outlive
  // this.
  static Result<PackagesWithin> open(const zip::ZipArchive& archive);

  const std::vector<PackageSource>& packages() const { return packages_; }

 private:
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<PackageSource> packages_;
};

// What is wrong with one package is told with its name.
Result<Measurement> measure_split_archive(const zip::ZipArchive& archive,
                                          const MeasureOptions& options);

// An app that is installed as several APKs, a base and its splits, in any order.
Result<Measurement> measure_splits(std::span<const PackageSource> sources,
                                   const MeasureOptions& options = {});
// The same of sources without names: messages name the split.
Result<Measurement> measure_splits(std::span<const Source* const> sources,
                                   const MeasureOptions& options = {});

}  // namespace touchmark::package::android
