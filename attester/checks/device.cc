// Marks of a device that its owner, or someone else, has opened; and of one that is no device.
#include <algorithm>
#include <array>
#include <sstream>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// Below a system image's root.
constexpr std::array<std::string_view, 6> kImageTools = {
    "/bin/su", "/xbin/su", "/bin/.ext/.su", "/xbin/daemonsu", "/app/Superuser.apk", "/bin/magisk"};
// No plain Linux has these, no sound phone either.
constexpr std::array<std::string_view, 11> kDeviceTools = {
    "/sbin/su",           "/su/bin/su",          "/vendor/bin/su",        "/data/local/su",
    "/data/local/bin/su", "/data/local/xbin/su", "/sbin/.magisk",         "/data/adb/magisk",
    "/data/adb/ksu",      "/data/adb/ap",        "/debug_ramdisk/.magisk"};
constexpr std::array<std::string_view, 4> kEmulatorDevices = {
    "/dev/qemu_pipe", "/dev/goldfish_pipe", "/dev/socket/qemud", "/dev/vboxguest_android"};

void check_tools(const Context& context, Findings& out) {
  const auto look = [&context, &out](const std::string& path) {
    if (exists(context.kernel, path)) report(out, FindingId::kRootSu, path);
  };
  for (const std::string_view path : kDeviceTools) look(std::string(path));
  for (const std::string& root : context.rules.image_roots) {
    for (const std::string_view path : kImageTools) look(root + std::string(path));
  }
  for (const Mapping& mapping : context.maps) {
    if (mapping.path.find("/magisk") == std::string::npos) continue;
    report(out, FindingId::kRootSu, mapping.path);
    break;
  }
}

// "ro.build.tags=release-keys" in build.prop; on newer systems only the platform itself may read
// that.
std::string build_tags(const Kernel& kernel, const std::string& image_root) {
  const Result<Bytes> file = read_whole(kernel, image_root + "/build.prop", 1 << 20);
  if (!file) return {};
  std::istringstream lines{to_string(*file)};
  constexpr std::string_view kName = "ro.build.tags=";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kName)) return line.substr(kName.size());
  }
  return {};
}

void check_keys(const Context& context, Findings& out) {
  const auto judge = [&out](std::string_view tags, const std::string& where) {
    if (tags.find("test-keys") == std::string_view::npos) return;
    report(out, FindingId::kRootTestKeys, where + ": " + std::string(tags));
  };
  judge(context.marks.build_tags, "the platform's build tags");
  for (const std::string& root : context.rules.image_roots) {
    judge(build_tags(context.kernel, root), root + "/build.prop");
  }
}

// A line of mountinfo: id, parent, device, root, mount point, options, ... (proc(5)).
void check_mounts(const Context& context, Findings& out) {
  if (context.rules.read_only_mounts.empty()) return;
  const Result<Bytes> text = read_whole(context.kernel, "/proc/self/mountinfo", 4 << 20);
  if (!text) return;
  std::istringstream lines{to_string(*text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string point;
    std::string options;
    fields >> skipped >> skipped >> skipped >> skipped >> point >> options;
    const bool guarded = std::ranges::find(context.rules.read_only_mounts, point) !=
                         context.rules.read_only_mounts.end();
    if (guarded && !options.starts_with("ro")) {
      report(out, FindingId::kRootWritableSystem, point + " is mounted " + options);
    }
  }
}

}  // namespace

void check_root(const Context& context, Findings& out) {
  check_tools(context, out);
  check_keys(context, out);
  check_mounts(context, out);
}

void check_emulator(const Context& context, Findings& out) {
  for (const std::string_view path : kEmulatorDevices) {
    if (exists(context.kernel, std::string(path)))
      report(out, FindingId::kDeviceEmulator, std::string(path));
  }
  const PlatformMarks& marks = context.marks;
  const auto contains = [](std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  };
  const bool hardware = marks.hardware == "goldfish" || marks.hardware == "ranchu" ||
                        contains(marks.hardware, "vbox");
  const bool product = contains(marks.product, "sdk_gphone") ||
                       contains(marks.product, "sdk_x86") || contains(marks.product, "vbox86") ||
                       marks.product == "sdk";
  const bool fingerprint = marks.fingerprint.starts_with("generic/") ||
                           contains(marks.fingerprint, "/emulator") ||
                           contains(marks.fingerprint, "generic_x86");
  if (hardware || product || fingerprint) {
    report(out, FindingId::kDeviceEmulator,
           "hardware " + marks.hardware + ", product " + marks.product);
  }
}

}  // namespace touchmark::attester::checks
