// Java classes that came into this process from elsewhere, by the files and the memory that ART
// maps for them.
#include <algorithm>
#include <array>
#include <set>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// What ART maps of classes. APKs are mapped for their resources as well, by launchers for one.
constexpr std::array<std::string_view, 5> kClassSuffixes = {".dex", ".odex", ".vdex", ".oat",
                                                            ".jar"};
// ART's names for classes that lie in memory (art/libdexfile/dex/art_dex_file_loader.cc): those an
// app gave it there, and those it unpacked.
constexpr std::array<std::string_view, 2> kMemoryMarks = {"dalvik-DEX data", "dalvik-classes"};
// A class that hooking frameworks define, as classes name each other; a program that only looks for
// it writes dots.
constexpr std::array<std::string_view, 2> kClassMarks = {"Lde/robv/android/xposed/XposedBridge;",
                                                         "Lorg/lsposed/lspd/core/Main;"};
constexpr std::size_t kMaxClassScan = 16 << 20;  // of all such memory together

bool is_classes(std::string_view path) {
  return std::ranges::any_of(kClassSuffixes,
                             [path](std::string_view suffix) { return path.ends_with(suffix); });
}

// An app may load classes from its own data: plugins, what it downloaded.
bool is_apps_own(const Context& context, std::string_view path) {
  const OwnPackage& own = context.own;
  if (!own.package_path.empty() && is_below(path, own.folder())) return true;
  const std::optional<DataPath> data = parse_data_path(path);
  const std::string& package =
      own.measurement ? own.measurement->package_name : context.app.package_name;
  return data && (package.empty() || data->package == package);
}

void check_class_files(const Context& context, Findings& out) {
  std::set<std::string> judged;
  for (const Mapping& mapping : context.maps) {
    if (!mapping.of_file() || !is_classes(mapping.path)) continue;
    if (!judged.insert(mapping.path).second) continue;
    if (is_system_file(context.rules, mapping.path) || is_apps_own(context, mapping.path)) continue;
    report(out, FindingId::kHookForeignClasses, mapping.path);
  }
}

void check_class_memory(const Context& context, Findings& out) {
  std::size_t left = kMaxClassScan;
  for (const Mapping& mapping : context.maps) {
    if (mapping.of_file() || !mapping.readable || left == 0) continue;
    const auto named = [&mapping](std::string_view mark) {
      return mapping.path.find(mark) != std::string::npos;
    };
    if (std::ranges::none_of(kMemoryMarks, named)) continue;
    if (const auto mark =
            find_text(context.kernel, mapping.start, mapping.end, left, kClassMarks)) {
      report(out, FindingId::kHookFramework, mapping.path + " holds " + std::string(*mark));
    }
    left -= std::min(mapping.size(), left);
  }
}

}  // namespace

void check_classes(const Context& context, Findings& out) {
  if (!context.rules.phone) return;
  check_class_files(context, out);
  check_class_memory(context, out);
}

}  // namespace touchmark::attester::checks
