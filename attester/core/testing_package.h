// Makes signed packages for tests.
#pragma once

#include <map>
#include <string>

namespace touchmark::attester::testing {

// An APK with these files (name -> content) and a small manifest, signed with APK Signature Scheme
// v2 by a key of its own.
std::string signed_package(const std::map<std::string, std::string>& files);

}  // namespace touchmark::attester::testing
