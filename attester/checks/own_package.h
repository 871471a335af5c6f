// The app's own package: found by where this code was loaded from, read by raw system calls.
#pragma once

#include "attester/checks/check.h"
#include "base/error.h"
#include "base/mutex.h"

namespace touchmark::attester::checks {

// What was measured, and which parts of it the loader may map from where they are.
struct MeasuredPackages {
  package::Measurement measurement;
  std::vector<StoredPart> stored;
};

// The last measurement, and the state of the files that it is of. Measuring a large package takes a
// good part of a second, and packages do not change while they run: only a file of another
// identity, size or change time (which no program can set) is measured again. Thread-safe.
class MeasurementCache {
 public:
  // Of the package in one file, or of an app in a base and its splits.
  Result<MeasuredPackages> measure(const std::vector<std::string>& paths,
                                   const Kernel& kernel = this_kernel());

 private:
  Mutex mutex_;
  std::vector<FileStatus> status_ GUARDED_BY(mutex_);
  std::optional<MeasuredPackages> measured_ GUARDED_BY(mutex_);
};

// An app whose split is installed while it runs is moved: the system links its files into a new
// folder and deletes the old one, from which they are still mapped. Gives such mappings the path
// that they have now, so that the checks see what they saw before. Believes the platform's
// `platform_path` only for files that are the mapped ones (the same inode); where this code's own
// file is, what the platform compiled beside it is taken along.
void follow_moved_package(const Rules& rules, std::vector<Mapping>& maps,
                          const std::string& platform_path, const Kernel& kernel = this_kernel());

// Never fails: what cannot be found or read is reported as app.unreadable and left out.
// `platform_path`: the base APK as the platform names it; "" when it does not say.
OwnPackage find_own_package(const Rules& rules, const std::vector<Module>& modules,
                            const std::string& platform_path, MeasurementCache& cache,
                            Findings& out, const Kernel& kernel = this_kernel());

// The package's base APK by the path of a library that was loaded from it:
// <dir>/lib/<cpu>/libtouchmark.so -> <dir>/base.apk; <dir>/base.apk itself when the library was
// mapped straight from it, or from one of its splits. An app of the system image is called after
// its folder: /product/app/Example/Example.apk. "" for any other place.
std::string package_of(const std::string& library_path, const Kernel& kernel = this_kernel());
// The installed packages of the app with this base: the base, then its splits, which the installer
// puts beside it as split_<name>.apk. Splits that cannot be listed are left out: the measurement is
// then one that no registration has.
std::vector<std::string> packages_of(const std::string& base_path,
                                     const Kernel& kernel = this_kernel());
// Where the bytes of a part are that the measurement of these packages names: file, and name in it.
struct PartPlace {
  std::string package;
  std::string name;
};
PartPlace place_of(const std::vector<std::string>& packages, const std::string& part);

}  // namespace touchmark::attester::checks
