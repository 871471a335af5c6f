// Apps that are installed as several packages: a base and splits, one for each language, screen
// density or processor. They come as several files, or in one archive (.apks, .xapk, .apkm).
#pragma once

#include <memory>
#include <span>
#include <vector>

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

// An archive of packages, without a manifest of its own.
bool is_split_archive(const zip::ZipArchive& archive);
// The packages of such an archive, in its order. They refer to the archive's source.
Result<std::vector<std::unique_ptr<Source>>> packages_within(const zip::ZipArchive& archive);
Result<Measurement> measure_split_archive(const zip::ZipArchive& archive,
                                          const MeasureOptions& options);

// An app that is installed as several APKs, a base and its splits, in any order.
Result<Measurement> measure_splits(std::span<const Source* const> sources,
                                   const MeasureOptions& options = {});

}  // namespace touchmark::package::android
