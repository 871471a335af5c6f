// Makes signed packages for tests.
#pragma once

#include <map>
#include <string>

namespace touchmark::attester::testing {

// An APK with these files (name -> content) and a small manifest, signed with APK Signature Scheme
// v2 by the one key of this process; with a name, a split of the app.
std::string signed_package(const std::map<std::string, std::string>& files,
                           const std::string& split = "");

}  // namespace touchmark::attester::testing
