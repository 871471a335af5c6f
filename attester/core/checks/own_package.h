// The app's own package: found by where this code was loaded from, read by raw system calls.
#pragma once

#include <sys/stat.h>

#include <mutex>

#include "attester/core/checks/check.h"
#include "base/error.h"

namespace touchmark::attester::checks {

// The last measurement, and the state of the file that it is of. Measuring a large package takes a
// good part of a second, and packages do not change while they run: only a file of another
// identity, size or change time (which no program can set) is measured again. Thread-safe.
class MeasurementCache {
 public:
  Result<package::Measurement> measure(const std::string& path);

 private:
  std::mutex mutex_;
  struct stat status_ {};
  std::optional<package::Measurement> measurement_;
};

// Never fails: what cannot be found or read is reported as app.unreadable and left out.
// `platform_path`: the base APK as the platform names it; "" when it does not say.
OwnPackage find_own_package(const Rules& rules, const std::vector<Module>& modules,
                            const std::string& platform_path, MeasurementCache& cache,
                            Findings& out);

// The package's base APK by the path of a library that was loaded from it:
// <dir>/lib/<abi>/libtouchmark.so -> <dir>/base.apk, and <dir>/base.apk itself when the library was
// mapped straight from it. "" for any other place.
std::string package_of(const std::string& library_path);

}  // namespace touchmark::attester::checks
