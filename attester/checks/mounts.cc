// What is mounted over the system's files, in this process's own view (proc(5), mountinfo).
//
// Root managers change a system that verified boot keeps read-only by mounts: files of their
// modules, which lie in /data, over those of the system, or file systems in memory that hold both.
// Makers mount over their systems, too, but only what is as read-only and as verified: other
// partitions, and overlays of several of them.
#include <algorithm>
#include <array>
#include <optional>

#include "attester/checks/check.h"
#include "base/text.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::size_t kMaxMountBytes = 4 << 20;

// Names that root managers give to their file systems.
constexpr std::array<std::string_view, 4> kSources = {"magisk", "KSU", "APatch", "ksu"};
// Their folders: in the file system of /data, and in the one that holds their own files.
constexpr std::array<std::string_view, 5> kFolders = {"/adb/modules", "/adb/magisk", "/adb/ksu",
                                                      "/adb/ap/", "/.magisk"};

// "36 35 98:0 /root /point ro,noatime master:1 - ext4 /dev/root rw,errors=continue"
struct Mount {
  std::string device;  // "98:0"
  std::string root;    // what of that device it shows
  std::string point;
  std::string options;
  std::string type;
  std::string source;
  std::string super_options;
};

std::optional<Mount> parse_mount(std::string_view line) {
  take_word(line);
  take_word(line);
  Mount out;
  for (std::string* field : {&out.device, &out.root, &out.point, &out.options}) {
    *field = take_word(line);
  }
  for (std::string_view optional = "?"; !optional.empty() && optional != "-";) {
    optional = take_word(line);
  }
  for (std::string* field : {&out.type, &out.source, &out.super_options}) *field = take_word(line);
  if (out.options.empty()) return std::nullopt;
  return out;
}

std::vector<Mount> read_mounts(const Kernel& kernel) {
  std::vector<Mount> out;
  const Result<Bytes> text = read_whole(kernel, "/proc/self/mountinfo", kMaxMountBytes);
  if (!text) return out;
  std::string_view lines = as_text(*text);
  while (const auto line = take_part(lines)) {
    if (auto mount = parse_mount(*line)) out.push_back(std::move(*mount));
  }
  return out;
}

bool mentions(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A folder of the system, or what lies in one.
bool covers_system(const Context& context, const std::string& point) {
  const auto covers = [&point](const std::string& folder) {
    return folder != "/" && (point == folder || is_below(point, folder));
  };
  return std::ranges::any_of(context.rules.read_only_mounts, covers);
}

// Where an overlay takes its files from, one of "lowerdir=/a:/b,upperdir=/c,workdir=/d".
bool overlays_data(std::string_view options) {
  constexpr std::array<std::string_view, 4> kWritable = {"/data/", "/debug_ramdisk", "/dev/",
                                                         "/cache/"};
  while (auto option = take_part(options, ',')) {
    if (option->starts_with("upperdir=")) return true;  // whatever lies there can be changed
    if (!option->starts_with("lowerdir=")) continue;
    option->remove_prefix(option->find('=') + 1);
    while (const auto folder = take_part(*option, ':')) {
      const auto begins = [&folder](std::string_view place) { return folder->starts_with(place); };
      if (std::ranges::any_of(kWritable, begins)) return true;
    }
  }
  return false;
}

std::optional<std::string> reason_against(const Context& context, const Mount& mount,
                                          std::string_view data_device) {
  if (std::ranges::find(kSources, mount.source) != kSources.end()) {
    return mount.type + " of " + mount.source;
  }
  const auto in_root = [&mount](std::string_view folder) { return mentions(mount.root, folder); };
  const auto in_point = [&mount](std::string_view folder) { return mentions(mount.point, folder); };
  // In its own folder a mount says no less.
  if (std::ranges::any_of(kFolders, in_root) || std::ranges::any_of(kFolders, in_point)) {
    return "shows " + mount.root;
  }
  if (!covers_system(context, mount.point)) return std::nullopt;
  if (mount.type == "tmpfs") return "in memory";
  if (mount.type == "overlay" && overlays_data(mount.super_options))
    return "overlays writable files";
  if (!data_device.empty() && mount.device == data_device)
    return "shows " + mount.root + " of /data";
  return std::nullopt;
}

}  // namespace

void check_mounts(const Context& context, Findings& out) {
  if (context.rules.read_only_mounts.empty()) return;
  const std::vector<Mount> mounts = read_mounts(context.kernel);
  const auto data = std::ranges::find(mounts, "/data", &Mount::point);
  const std::string_view data_device = data == mounts.end() ? "" : std::string_view(data->device);
  for (const Mount& mount : mounts) {
    const bool guarded = std::ranges::find(context.rules.read_only_mounts, mount.point) !=
                         context.rules.read_only_mounts.end();
    if (guarded && !mount.options.starts_with("ro")) {
      report(out, FindingId::kRootWritableSystem, mount.point + " is mounted " + mount.options);
    }
    if (!context.rules.phone) continue;
    if (const auto reason = reason_against(context, mount, data_device)) {
      report(out, FindingId::kRootMounts, mount.point + ": " + *reason);
    }
  }
}

}  // namespace touchmark::attester::checks
