// The app's own package: found by where this code was loaded from, read by raw system calls.
#pragma once

#include "attester/checks/check.h"
#include "attester/checks/raw_file.h"
#include "base/error.h"
#include "base/mutex.h"

namespace touchmark::attester::checks {

// The last measurement, and the state of the files that it is of. Measuring a large package takes a
// good part of a second, and packages do not change while they run: only a file of another
// identity, size or change time (which no program can set) is measured again. Thread-safe.
class MeasurementCache {
 public:
  // Of the package in one file, or of an app in a base and its splits.
  Result<package::Measurement> measure(const std::vector<std::string>& paths);

 private:
  Mutex mutex_;
  std::vector<FileStatus> status_ GUARDED_BY(mutex_);
  std::optional<package::Measurement> measurement_ GUARDED_BY(mutex_);
};

// Never fails: what cannot be found or read is reported as app.unreadable and left out.
// `platform_path`: the base APK as the platform names it; "" when it does not say.
OwnPackage find_own_package(const Rules& rules, const std::vector<Module>& modules,
                            const std::string& platform_path, MeasurementCache& cache,
                            Findings& out);

// The package's base APK by the path of a library that was loaded from it:
// <dir>/lib/<abi>/libtouchmark.so -> <dir>/base.apk; <dir>/base.apk itself when the library was
// mapped straight from it, or from one of its splits. "" for any other place.
std::string package_of(const std::string& library_path);
// The installed packages of the app with this base: the base, then its splits, which the installer
// puts beside it as split_<name>.apk. Splits that cannot be listed are left out: the measurement is
// then one that no registration has.
std::vector<std::string> packages_of(const std::string& base_path);
// Where the bytes of a part are that the measurement of these packages names: file, and name in it.
struct PartPlace {
  std::string package;
  std::string name;
};
PartPlace place_of(const std::vector<std::string>& packages, const std::string& part);

}  // namespace touchmark::attester::checks
