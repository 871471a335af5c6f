// Executable memory that no installed file or known runtime explains.
//
// Anonymous executable memory, memory files of just-in-time compilers and mappings of deleted files
// are everyday things and no sign by themselves. What no compiler's output looks like is an ELF
// image: code in such memory that begins as one was put there by a loader of its own.
#include <algorithm>
#include <array>
#include <set>

#include "attester/checks/check.h"
#include "attester/checks/raw_file.h"
#include "crypto/crypto.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// Parts of file names that instrumentation frameworks give their files.
constexpr std::array<std::string_view, 8> kNameMarks = {"frida-agent", "frida-gadget", "xposed",
                                                        "lsposed",     "lspatch",      "substrate",
                                                        "zygisk_",     "epic-art"};
// Text inside their images, for those that are renamed.
constexpr std::array<std::string_view, 4> kTextMarks = {
    "frida_agent_main", "gum_interceptor_attach", "MSHookFunction", "XposedBridge"};
constexpr std::size_t kMaxScan = 64 << 20;

std::optional<std::string_view> name_mark(std::string_view path) {
  const std::string_view name = file_name(path);
  const auto found = std::ranges::find_if(kNameMarks, [name](std::string_view mark) {
    return std::ranges::search(name, mark, [](char a, char b) {
             return (a | 0x20) == b;
           }).begin() != name.end();
  });
  if (found == kNameMarks.end()) return std::nullopt;
  return *found;
}

// Contiguous mappings that have the same kind of backing.
using Run = std::vector<const Mapping*>;

std::vector<Run> runs_without_file(const std::vector<Mapping>& maps) {
  std::vector<Run> out;
  for (const Mapping& mapping : maps) {
    // The kernel's own pages ([vdso], [stack], ...) have names that no program can give.
    const bool kernel = mapping.path.starts_with('[') && !mapping.path.starts_with("[anon");
    if (mapping.of_file() || kernel) continue;
    const bool continues = !out.empty() && out.back().back()->end == mapping.start &&
                           out.back().back()->path == mapping.path;
    if (!continues) out.emplace_back();
    out.back().push_back(&mapping);
  }
  return out;
}

std::optional<std::string_view> text_mark(const Run& run) {
  constexpr std::size_t kChunk = 1 << 20;
  constexpr std::size_t kOverlap = 64;  // longer than every mark
  Bytes buffer(kChunk + kOverlap);
  const std::uintptr_t end = std::min(run.back()->end, run.front()->start + kMaxScan);
  for (std::uintptr_t at = run.front()->start; at < end; at += kChunk) {
    const std::size_t want = std::min(buffer.size(), end - at);
    const std::size_t got = copy_memory(at, std::span(buffer).first(want));
    const std::string_view text = as_text(ByteView(buffer).first(got));
    for (const std::string_view mark : kTextMarks) {
      if (text.find(mark) != std::string_view::npos) return mark;
    }
  }
  return std::nullopt;
}

void check_run(const Run& run, Findings& out) {
  const bool executes =
      std::ranges::any_of(run, [](const Mapping* mapping) { return mapping->executable; });
  if (!executes) return;
  const bool image =
      std::ranges::any_of(run, [](const Mapping* mapping) { return begins_as_elf(*mapping); });
  if (!image) return;
  const std::string where = run.front()->path.empty() ? "anonymous memory" : run.front()->path;
  report(out, FindingId::kHookUnknownCode, "an ELF image in " + where);
  if (const auto mark = text_mark(run)) {
    report(out, FindingId::kHookFramework, where + " holds " + std::string(*mark));
  }
}

// Code in the app's folder is the app's when the package holds the very file; the platform's
// compiler puts its output beside it.
bool belongs_to_package(const Context& context, const std::string& path) {
  const OwnPackage& own = context.own;
  if (own.package_path.empty() || !is_below(path, own.folder())) return false;
  const std::string& compiled = context.rules.compiled_code_folder;
  if (std::ranges::find(own.packages, path) != own.packages.end()) return true;
  if (!compiled.empty() && is_below(path, own.folder() + compiled)) return true;
  if (!own.measurement) return false;
  const auto named = [&path](const package::Part& part) {
    return part.kind == package::PartKind::kNativeLibrary &&
           file_name(part.name) == file_name(path);
  };
  if (std::ranges::none_of(own.measurement->parts, named)) return false;
  const Result<Bytes> content = read_whole(path, 512 << 20);
  if (!content) return false;
  const Sha256Digest digest = crypto::sha256(*content);
  return std::ranges::any_of(own.measurement->parts, [&](const package::Part& part) {
    return named(part) && part.sha256 == digest;
  });
}

void check_files(const Context& context, Findings& out) {
  std::set<std::string> reported;
  for (const Mapping& mapping : context.maps) {
    if (!mapping.of_file() || !mapping.executable) continue;
    if (is_system_file(context.rules, mapping.path)) continue;
    // The SDK's own library is judged against the package by check_own_code.
    if (mapping.path == context.own.library_path) continue;
    if (reported.contains(mapping.path) || belongs_to_package(context, mapping.path)) continue;
    reported.insert(mapping.path);
    report(out, FindingId::kHookUnknownCode, mapping.path);
  }
}

void check_names(const Context& context, Findings& out) {
  std::set<std::string> reported;
  for (const Mapping& mapping : context.maps) {
    if (mapping.path.empty() || !name_mark(mapping.path)) continue;
    if (reported.insert(mapping.path).second) {
      report(out, FindingId::kHookFramework, mapping.path);
    }
  }
}

}  // namespace

void check_unknown_code(const Context& context, Findings& out) {
  check_files(context, out);
  for (const Run& run : runs_without_file(context.maps)) check_run(run, out);
  check_names(context, out);
}

}  // namespace touchmark::attester::checks
