// Marks of a device that its owner, or someone else, has opened.
#include <algorithm>
#include <array>

#include "attester/checks/check.h"
#include "base/text.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// Below a system image's root.
constexpr std::array<std::string_view, 12> kImageTools = {
    "/bin/su",          "/xbin/su",           "/bin/.ext/.su",
    "/xbin/daemonsu",   "/app/Superuser.apk", "/bin/magisk",
    "/bin/failsafe/su", "/sd/xbin/su",        "/usr/we-need-root/su",
    "/bin/resetprop",   "/bin/magiskpolicy",  "/etc/init.d/99SuperSUDaemon"};
// No plain Linux has these, no sound phone either.
constexpr std::array<std::string_view, 26> kDeviceTools = {"/sbin/su",
                                                           "/su/bin/su",
                                                           "/vendor/bin/su",
                                                           "/data/local/su",
                                                           "/data/local/bin/su",
                                                           "/data/local/xbin/su",
                                                           "/sbin/.magisk",
                                                           "/data/adb/magisk",
                                                           "/data/adb/ksu",
                                                           "/data/adb/ap",
                                                           "/debug_ramdisk/.magisk",
                                                           "/product/bin/su",
                                                           "/system_ext/bin/su",
                                                           "/odm/bin/su",
                                                           "/vendor/xbin/su",
                                                           "/cache/su",
                                                           "/dev/su",
                                                           "/data/su",
                                                           "/apex/com.android.runtime/bin/su",
                                                           "/apex/com.android.art/bin/su",
                                                           "/data/adb/modules",
                                                           "/data/adb/ksud",
                                                           "/data/adb/apd",
                                                           "/data/adb/magisk.db",
                                                           "/debug_ramdisk/magisk",
                                                           "/system_ext/xbin/su"};

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
  std::string_view lines = as_text(*file);
  constexpr std::string_view kName = "ro.build.tags=";
  while (const auto line = take_part(lines)) {
    if (line->starts_with(kName)) return std::string(line->substr(kName.size()));
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

void check_boot_state(const Context& context, Findings& out) {
  const Properties& all = context.properties;
  const auto judge = [&](std::string_view name, std::initializer_list<std::string_view> bad,
                         FindingId finding) {
    const std::string value = all.value(name);
    if (value.empty() || std::ranges::find(bad, value) == bad.end()) return;
    report(out, finding, std::string(name) + " is " + value);
  };
  // Yellow is a system that its owner signed, on a locked phone: the policy's boot.keys judge it.
  judge("ro.boot.verifiedbootstate", {"orange", "red"}, FindingId::kRootBootState);
  judge("ro.boot.vbmeta.device_state", {"unlocked"}, FindingId::kRootBootState);
  judge("ro.debuggable", {"1"}, FindingId::kRootDebuggableSystem);
  judge("ro.secure", {"0"}, FindingId::kRootDebuggableSystem);
  judge("ro.adb.secure", {"0"}, FindingId::kRootDebuggableSystem);
  judge("ro.build.type", {"userdebug", "eng"}, FindingId::kRootDebuggableSystem);
  judge("ro.boot.selinux", {"permissive", "disabled"}, FindingId::kRootSelinux);
}

// resetprop and its like write over what init lets nobody change, to make an opened phone look
// closed. init counts.
void check_changed_properties(const Context& context, Findings& out) {
  for (const auto& [name, property] : context.properties.all()) {
    if (!name.starts_with("ro.") || property.changes == 0) continue;
    report(out, FindingId::kRootChangedProperty, name);
  }
}

void check_selinux(const Context& context, Findings& out) {
  const auto enforce = read_whole(context.kernel, "/sys/fs/selinux/enforce", 64);
  if (enforce && as_text(*enforce).starts_with('0')) {
    report(out, FindingId::kRootSelinux, "/sys/fs/selinux/enforce is 0");
  }
  // "u:r:untrusted_app:s0:c123,c256,c512,c768"; a root manager's domain is no app's.
  const auto domain = read_whole(context.kernel, "/proc/self/attr/current", 4096);
  if (!domain) return;
  for (const std::string_view name : {":magisk:", ":su:", ":ksu:", ":kernel:", ":init:"}) {
    if (as_text(*domain).find(name) == std::string_view::npos) continue;
    const std::string_view text = as_text(*domain).substr(0, as_text(*domain).find('\0'));
    report(out, FindingId::kRootSu, "the process runs as " + std::string(text));
  }
}

}  // namespace

void check_root(const Context& context, Findings& out) {
  check_tools(context, out);
  check_keys(context, out);
  check_mounts(context, out);
  if (!context.rules.phone) return;
  check_boot_state(context, out);
  check_changed_properties(context, out);
  check_selinux(context, out);
}

}  // namespace touchmark::attester::checks
