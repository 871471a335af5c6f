#include <algorithm>
#include <array>
#include <charconv>

#include "attester/checks/check.h"

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

// "/data/app/~~<random>/<package>-<random>/...", on older systems without the first folder. Only
// the platform's installer can write there, and a package's name belongs to its first signer.
bool is_installed_below(std::string_view path, const std::string& package) {
  constexpr std::string_view kApps = "/data/app/";
  if (!path.starts_with(kApps)) return false;
  path.remove_prefix(kApps.size());
  if (path.starts_with("~~")) path.remove_prefix(std::min(path.find('/') + 1, path.size()));
  if (!path.starts_with(package) || path.size() == package.size()) return false;
  return path[package.size()] == '-' || path[package.size()] == '_';
}

}  // namespace

bool is_system_file(const Rules& rules, std::string_view path) {
  return is_below_any(path, rules.system_dirs) ||
         std::ranges::any_of(rules.shared_packages, [path](const std::string& package) {
           return is_installed_below(path, package);
         });
}

Rules default_rules() {
  Rules rules;
#ifdef __ANDROID__
  rules.system_dirs = {"/system", "/apex", "/vendor", "/product", "/system_ext", "/odm",
                       // What the platform compiles of its own code, and what Play services lend.
                       "/data/misc/apexdata/com.android.art/dalvik-cache", "/data/dalvik-cache",
                       "/data/user_de/0/com.google.android.gms",
                       "/data/user/0/com.google.android.gms"};
  rules.shared_packages = {"com.android.webview", "com.google.android.webview",
                           "com.google.android.trichromelibrary", "com.android.chrome",
                           "com.google.android.gms"};
  rules.image_roots = {"/system"};
  rules.read_only_mounts = {"/", "/system", "/vendor", "/product", "/system_ext", "/odm"};
  rules.packages_have_other_owner = true;
  rules.compiled_code_folder = "/oat";
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
