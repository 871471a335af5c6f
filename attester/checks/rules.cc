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

// Takes a folder's name and the slash behind it off the front.
std::string_view take_folder(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return name;
}

// Takes `prefix` off the front of `path`, where it is there.
bool take_prefix(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

// The volume that holds apps and their data: the device's own, or storage that was adopted.
bool take_volume(std::string_view& path) {
  if (take_prefix(path, "/data/")) return true;
  return take_prefix(path, "/mnt/expand/") && !take_folder(path).empty();
}

// "/data/app/~~<random>/<package>-<random>/...", on older systems without the first folder. Only
// the platform's installer can write there, and a package's name belongs to its first signer. A
// name that ends with a dot stands for all that begin so.
bool is_installed_below(std::string_view path, std::string_view package) {
  if (!take_volume(path) || !take_prefix(path, "app/")) return false;
  if (path.starts_with("~~")) take_folder(path);
  const std::string_view folder = take_folder(path);
  if (path.empty() || !folder.starts_with(package) || folder.size() == package.size()) return false;
  if (package.ends_with('.')) return true;
  const char next = folder[package.size()];
  return next == '-' || next == '_';
}

bool is_data_of(std::string_view path, std::string_view package) {
  const std::optional<DataPath> data = parse_data_path(path);
  return data && data->package == package;
}

}  // namespace

const AppFacts Context::kNobody;
const Observed Context::kNothing;
const Properties Context::kNoProperties;
const ListLibraries Context::kNoLibraries;

// "/data/user/<user>/<package>/...", before or after the device was unlocked; the first user's is
// "/data/data/<package>/..." as well.
std::optional<DataPath> parse_data_path(std::string_view path) {
  DataPath out;
  if (!take_volume(path)) return std::nullopt;
  if (!take_prefix(path, "data/")) {
    if (!take_prefix(path, "user/") && !take_prefix(path, "user_de/")) return std::nullopt;
    const std::string_view user = take_folder(path);
    const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), out.user);
    if (error != std::errc() || end != user.data() + user.size() || out.user < 0) {
      return std::nullopt;
    }
  }
  out.package = take_folder(path);
  if (out.package.empty() || path.empty()) return std::nullopt;
  return out;
}

bool is_system_file(const Rules& rules, std::string_view path) {
  return is_below_any(path, rules.system_dirs) ||
         std::ranges::any_of(
             rules.shared_packages,
             [path](const std::string& package) { return is_installed_below(path, package); }) ||
         std::ranges::any_of(rules.lending_packages, [path](const std::string& package) {
           return is_data_of(path, package);
         });
}

Rules android_rules() {
  Rules rules;
  rules.system_dirs = {"/system", "/apex", "/vendor", "/product", "/system_ext", "/odm", "/oem",
                       // Read-only partitions of one maker: Oppo, Realme and OnePlus; Xiaomi;
                       // Huawei and Honor; Samsung; LG; Vivo.
                       "/my_product", "/my_stock", "/my_heytap", "/my_region", "/my_carrier",
                       "/my_company", "/my_preload", "/my_bigball", "/my_engineering",
                       "/my_manifest", "/mi_ext", "/cust", "/hw_product", "/preload", "/version",
                       "/prism", "/optics", "/omr", "/OP", "/vgc",
                       // What the platform compiles of its own code.
                       "/data/misc/apexdata/com.android.art/dalvik-cache", "/data/dalvik-cache"};
  rules.shared_packages = {
      // The web view's providers, and the library that the newer of them share
      // (frameworks/base/core/res/res/xml/config_webview_packages.xml and makers' overlays).
      "com.android.webview", "com.google.android.webview", "com.google.android.webview.beta",
      "com.google.android.webview.dev", "com.google.android.webview.canary",
      "com.google.android.trichromelibrary", "com.google.android.trichromelibrary.beta",
      "com.google.android.trichromelibrary.dev", "com.google.android.trichromelibrary.canary",
      "com.android.chrome", "com.chrome.beta", "com.chrome.dev", "com.chrome.canary",
      "com.huawei.webview", "com.amazon.webview.chromium", "app.vanadium.webview",
      "app.vanadium.trichromelibrary",
      // Play services, and the makers' newer graphics drivers (ro.gfx.driver.*).
      "com.google.android.gms", "com.qualcomm.qti.gpudrivers.", "com.samsung.gpudriver."};
  // What Play services lend to other apps.
  rules.lending_packages = {"com.google.android.gms"};
  rules.image_roots = {"/system"};
  rules.read_only_mounts = {"/", "/system", "/vendor", "/product", "/system_ext", "/odm"};
  rules.first_app_user = 10'000;  // AID_APP_START
  rules.compiled_code_folder = "/oat";
  rules.watched_libraries = {"libart.so", "libnativehelper.so", "libopenjdkjvm.so",
                             "libnativeloader.so"};
  rules.phone = true;
  rules.program = "app_process";  // app_process32, app_process64
  rules.loader = "linker";        // linker, linker64
  return rules;
}

Rules default_rules() {
#ifdef __ANDROID__
  return android_rules();
#else
  Rules rules;
  rules.image_roots = split(TOUCHMARK_HOST_SYSTEM_DIRS);
  rules.system_dirs = rules.image_roots;
  for (const char* dir : {"/usr", "/lib", "/lib64", "/opt"}) rules.system_dirs.emplace_back(dir);
  return rules;
#endif
}

std::string OwnPackage::folder() const {
  return package_path.substr(
      0, package_path.size() - file_name(package_path).size() - (package_path.empty() ? 0 : 1));
}

bool OwnPackage::is_package(std::string_view path) const {
  return std::ranges::find(packages, path) != packages.end();
}

const StoredPart* OwnPackage::stored_at(std::string_view package, std::uint64_t offset) const {
  const auto found = std::ranges::find_if(stored, [&](const StoredPart& part) {
    return offset >= part.offset && offset - part.offset < part.size && part.package == package;
  });
  return found == stored.end() ? nullptr : &*found;
}

bool is_own_file(const Context& context, std::string_view path) {
  const OwnPackage& own = context.own;
  if (path.empty()) return false;
  if (path == own.library_path || own.is_package(path)) return true;
  if (own.package_path.empty() || !is_below(path, own.folder())) return false;
  const std::string& compiled = context.rules.compiled_code_folder;
  return compiled.empty() || !is_below(path, own.folder() + compiled);
}

std::string hex_text(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

}  // namespace touchmark::attester::checks
