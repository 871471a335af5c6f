// Makes signed packages for tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace touchmark::attester::testing {

// An APK with these files (name -> content) and a small manifest, signed with APK Signature Scheme
// v2 by the one key of this process; with a name, a split of the app. The files of `stored` are not
// compressed and begin at multiples of `alignment`. `note` is put into the signing block, as some
// stores' tools do; the signature does not cover it.
std::string signed_package(const std::map<std::string, std::string>& files,
                           const std::string& split = "",
                           const std::map<std::string, std::string>& stored = {},
                           std::uint64_t alignment = 4096, const std::string& note = "");

}  // namespace touchmark::attester::testing
