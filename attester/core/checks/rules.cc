#include <array>
#include <charconv>

#include "attester/core/checks/check.h"

// Further system folders of a host build, separated by colons; the lab puts its device's system
// image here. Fixed when the library is built: no environment can widen it.
#ifndef TOUCHMARK_HOST_SYSTEM_DIRS
#define TOUCHMARK_HOST_SYSTEM_DIRS ""
#endif

namespace touchmark::attester::checks {
namespace {

[[maybe_unused]] std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (colon > 0) out.emplace_back(text.substr(0, colon));
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return out;
}

}  // namespace

Rules default_rules() {
  Rules rules;
#ifdef __ANDROID__
  rules.system_dirs = {"/system", "/apex", "/vendor", "/product", "/system_ext", "/odm"};
  rules.image_roots = {"/system"};
  rules.read_only_mounts = {"/", "/system", "/vendor", "/product", "/system_ext", "/odm"};
  rules.packages_have_other_owner = true;
#else
  rules.image_roots = split(TOUCHMARK_HOST_SYSTEM_DIRS);
  rules.system_dirs = rules.image_roots;
  for (const char* dir : {"/usr", "/lib", "/lib64", "/opt"}) rules.system_dirs.emplace_back(dir);
#endif
  return rules;
}

std::string OwnPackage::folder() const {
  return package_path.substr(
      0, package_path.size() - file_name(package_path).size() - (package_path.empty() ? 0 : 1));
}

std::string hex_text(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

}  // namespace touchmark::attester::checks
