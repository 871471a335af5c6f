// The app's own package: found by where this code was loaded from, read by raw system calls.
#pragma once

#include "attester/core/checks/check.h"

namespace touchmark::attester::checks {

// Never fails: what cannot be found or read is reported as app.unreadable and left out.
// `platform_path`: the base APK as the platform names it; "" when it does not say.
OwnPackage find_own_package(const Rules& rules, const std::vector<Module>& modules,
                            const std::string& platform_path, Findings& out);

// The package's base APK by the path of a library that was loaded from it:
// <dir>/lib/<abi>/libtouchmark.so -> <dir>/base.apk, and <dir>/base.apk itself when the library was
// mapped straight from it. "" for any other place.
std::string package_of(const std::string& library_path);

}  // namespace touchmark::attester::checks
