// What is around the app: images that neither it nor the system brought, debuggers, jailbreaks, a
// simulator.
#include <algorithm>
#include <array>
#include <cctype>

#include "attester/checks/ios/ios_check.h"

namespace touchmark::attester::checks::ios {
namespace {

using protocol::FindingId;

// Lower case; a part of an image's name.
constexpr std::array<std::string_view, 16> kFrameworks = {
    "frida",      "substrate", "substitute",    "ellekit",         "libhooker",  "tweakinject",
    "cycript",    "cynject",   "sslkillswitch", "rocketbootstrap", "systemhook", "libhooks",
    "flexloader", "objection", "revealserver",  "tweakloader"};

// What jailbreaks put where a sound iPhone has nothing, or where an app could not look.
constexpr std::array<const char*, 29> kJailbreakFiles = {
    "/var/jb",
    "/Applications/Cydia.app",
    "/Applications/Sileo.app",
    "/Applications/Zebra.app",
    "/Applications/palera1nLoader.app",
    "/Library/MobileSubstrate/MobileSubstrate.dylib",
    "/Library/MobileSubstrate/DynamicLibraries",
    "/usr/lib/libsubstrate.dylib",
    "/usr/lib/libellekit.dylib",
    "/usr/lib/libhooker.dylib",
    "/usr/lib/libsubstitute.dylib",
    "/usr/lib/TweakInject",
    "/usr/lib/TweakInject.dylib",
    "/usr/sbin/frida-server",
    "/usr/sbin/sshd",
    "/usr/bin/ssh",
    "/bin/bash",
    "/bin/sh",
    "/etc/apt",
    "/private/var/lib/apt",
    "/private/var/lib/cydia",
    "/private/var/lib/dpkg",
    "/private/var/stash",
    "/private/var/binpack",
    "/cores/binpack",
    "/.bootstrapped_electra",
    "/.installed_unc0ver",
    "/.procursus_strapped",
    "/jb"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_known_framework(std::string_view path) {
  const std::string name = lower(path.substr(path.rfind('/') + 1));
  return std::ranges::any_of(
      kFrameworks, [&name](std::string_view mark) { return name.find(mark) != name.npos; });
}

}  // namespace

bool is_system_image(const LoadedImage& loaded, bool simulator) {
  const std::string_view path = loaded.path;
  if ((loaded.image.flags & package::ios::kInSharedCache) != 0) return true;
  // On the system's sealed volume. Below /usr/lib a jailbreak puts its own.
  if (path.starts_with("/System/") || path.starts_with("/private/preboot/Cryptexes/")) return true;
  if (path == "/usr/lib/dyld" || path == "/usr/lib/libobjc-trampolines.dylib") return true;
  // A simulator's system is a folder of the Mac.
  return simulator && (path.find("/CoreSimulator/") != path.npos || path.starts_with("/usr/lib/"));
}

void check_foreign_images(const IosContext& context, Findings& out) {
  const bool simulator = context.iphone.is_simulator();
  for (const LoadedImage& loaded : context.images.images) {
    if (!loaded.name.empty() || is_system_image(loaded, simulator)) continue;
    const bool known = is_known_framework(loaded.path);
    out.push_back({known ? FindingId::kHookFramework : FindingId::kHookUnknownCode, loaded.path});
  }
  for (const std::string& unread : context.images.unread) {
    out.push_back({FindingId::kHookUnknownCode, unread});
  }
  const std::string inserted = context.iphone.environment("DYLD_INSERT_LIBRARIES");
  if (!inserted.empty()) {
    out.push_back({FindingId::kHookPreload, "DYLD_INSERT_LIBRARIES " + inserted});
  }
}

void check_tracing(const IosContext& context, Findings& out) {
  const std::optional<bool> traced = context.iphone.is_traced();
  if (traced == std::optional(true)) {
    out.push_back({FindingId::kDebugAttached, "the kernel says that the process is traced"});
  }
}

void check_jailbreak(const IosContext& context, Findings& out) {
  if (context.iphone.is_simulator()) return;  // the Mac's own files
  for (const char* file : kJailbreakFiles) {
    if (context.iphone.exists(file)) out.push_back({FindingId::kRootJailbreak, file});
  }
  // TrollStore marks what it has installed past the system's check of signatures.
  std::string_view folder = context.images.bundle;
  if (folder.ends_with('/')) folder.remove_suffix(1);
  const std::string mark = std::string(folder.substr(0, folder.rfind('/') + 1)) + "_TrollStore";
  if (context.iphone.exists(mark)) out.push_back({FindingId::kRootJailbreak, mark});
}

void check_simulator(const IosContext& context, Findings& out) {
  const LoadedImage* main = context.images.main();
  if (context.iphone.is_simulator() ||
      (main != nullptr && main->image.architecture() == "x86_64")) {
    out.push_back({FindingId::kDeviceEmulator, "iOS's simulator"});
  }
}

}  // namespace touchmark::attester::checks::ios
