// Executable memory that no installed file or known runtime explains.
//
// Anonymous executable memory, memory files of just-in-time compilers and mappings of deleted files
// are everyday things and no sign by themselves. What no compiler's output looks like is a linked
// ELF image: code in such memory that begins as one was put there by a loader of its own. (Some
// compilers, SwiftShader's for one, write relocatable ELF files into memory and run them there.)
#include <algorithm>
#include <array>
#include <set>

#include "attester/checks/check.h"
#include "attester/checks/compare.h"
#include "attester/checks/elf.h"
#include "crypto/crypto.h"
#include "package/package.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// Parts of file names that instrumentation frameworks give their files.
constexpr std::array<std::string_view, 11> kNameMarks = {
    "frida-agent", "frida-gadget", "xposed",   "lsposed",  "lspatch", "substrate",
    "zygisk_",     "epic-art",     "libriru_", "lspd.dex", "sandhook"};
// Folders of root managers and their modules: nothing there is an app's.
constexpr std::array<std::string_view, 4> kFolderMarks = {"/data/adb/", "/data/misc/riru/",
                                                          "/dev/zygisk/", "/debug_ramdisk/"};
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

// The kernel's own pages ([vdso], [vectors], ...) have names that no program can give. Heap and
// stacks have such names, too, and hold what the program writes there.
bool is_kernels(std::string_view path) {
  return path.starts_with('[') && !path.starts_with("[anon") && !path.starts_with("[heap") &&
         !path.starts_with("[stack");
}

// Contiguous mappings that have the same kind of backing.
using Run = std::vector<const Mapping*>;

std::vector<Run> runs_without_file(const std::vector<Mapping>& maps) {
  std::vector<Run> out;
  for (const Mapping& mapping : maps) {
    if (mapping.of_file() || is_kernels(mapping.path)) continue;
    const bool continues = !out.empty() && out.back().back()->end == mapping.start &&
                           out.back().back()->path == mapping.path;
    if (!continues) out.emplace_back();
    out.back().push_back(&mapping);
  }
  return out;
}

// Whether a linked image begins there: a library or a program, of any machine.
bool begins_as_linked(const Kernel& kernel, const Mapping& mapping) {
  if (!begins_as_elf(mapping, kernel)) return false;
  constexpr std::size_t kTypeAt = 16;  // e_type
  constexpr std::byte kRelocatable{1};
  std::array<std::byte, 1> type{};
  return kernel.copy_memory(mapping.start + kTypeAt, type) != type.size() ||
         type[0] != kRelocatable;
}

// What the app's libraries look like, for those that the loader copied into memory. On a device
// with pages of 16 KiB, Android 16 loads a library that was linked for smaller ones so: all of it,
// the read-only data and the code executable alike, in anonymous memory (bionic/linker/
// linker_phdr_16kib_compat.cpp).
class CopiedLibraries {
 public:
  explicit CopiedLibraries(const Context& context) : context_(context) {}

  // Whether what lies in memory from there on is the code of a library that the package holds.
  bool holds(std::uintptr_t start) {
    if (!has_large_pages()) return false;
    Bytes head(kHead);
    if (context_.kernel.copy_memory(start, head) != head.size()) return false;
    for (const std::string& package : context_.own.packages) {
      if (holds(package, start, head)) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kHead = 1024;  // file header, program headers, build id
  static constexpr std::uintptr_t kLargePage = 16 * 1024;
  static constexpr std::size_t kMaxLibraryBytes = 256 << 20;

  bool has_large_pages() const {
    return std::ranges::all_of(context_.maps, [](const Mapping& mapping) {
      return !mapping.of_file() || mapping.start % kLargePage == 0;
    });
  }

  bool holds(const std::string& package, std::uintptr_t start, ByteView head) const {
    const auto source = open_source(context_.kernel, package);
    if (!source) return false;
    const Result<zip::ZipArchive> archive = zip::ZipArchive::open(**source);
    if (!archive) return false;
    for (const zip::ZipEntry& entry : archive->entries()) {
      if (!entry.name.starts_with("lib/") || entry.size < head.size()) continue;
      const Result<Bytes> begin = archive->read_range(entry, 0, head.size());
      if (!begin || next_difference(*begin, head) < head.size()) continue;
      const Result<Bytes> library = archive->read(entry, kMaxLibraryBytes);
      if (library && same_code(*library, start)) return true;
    }
    return false;
  }

  bool same_code(ByteView library, std::uintptr_t start) const {
    const auto segments = parse_segments(library, context_.rules.machine);
    if (!segments || segments->empty()) return false;
    for (const ElfSegment& segment : *segments) {
      if (!segment.executable) continue;
      if (segment.offset > library.size() || segment.file_size > library.size() - segment.offset) {
        return false;
      }
      const auto size = static_cast<std::size_t>(segment.file_size);
      Bytes memory(size);
      const auto address =
          start + static_cast<std::uintptr_t>(segment.address - segments->front().address);
      if (context_.kernel.copy_memory(address, memory) != size) return false;
      const ByteView code = library.subspan(static_cast<std::size_t>(segment.offset), size);
      if (next_difference(memory, code) < size) return false;
    }
    return true;
  }

  const Context& context_;
};

void check_run(const Context& context, const Run& run, Findings& out) {
  const bool executes =
      std::ranges::any_of(run, [](const Mapping* mapping) { return mapping->executable; });
  if (!executes) return;
  const bool image = std::ranges::any_of(run, [&context](const Mapping* mapping) {
    return begins_as_linked(context.kernel, *mapping) &&
           !CopiedLibraries(context).holds(mapping->start);
  });
  if (!image) return;
  const std::string where = run.front()->path.empty() ? "anonymous memory" : run.front()->path;
  report(out, FindingId::kHookUnknownCode, "an ELF image in " + where);
  if (const auto mark =
          find_text(context.kernel, run.front()->start, run.back()->end, kMaxScan, kTextMarks)) {
    report(out, FindingId::kHookFramework, where + " holds " + std::string(*mark));
  }
}

// Code mapped straight from a package is the app's when it lies in one of the files there. What
// lies between them is not measured.
bool lies_in_a_part(const OwnPackage& own, const Mapping& mapping) {
  constexpr std::uint64_t kLargestPage = 16 * 1024;  // the last page goes on after the part's end
  const StoredPart* part = own.stored_at(mapping.path, mapping.offset);
  return part != nullptr &&
         mapping.offset + mapping.size() < part->offset + part->size + kLargestPage;
}

// Code in the app's folder is the app's when the package holds the very file; the platform's
// compiler puts its output beside it.
bool belongs_to_package(const Context& context, const Mapping& mapping) {
  const OwnPackage& own = context.own;
  const std::string& path = mapping.path;
  if (own.package_path.empty() || !is_below(path, own.folder())) return false;
  if (own.is_package(path)) return !own.measurement || lies_in_a_part(own, mapping);
  const std::string& compiled = context.rules.compiled_code_folder;
  if (!compiled.empty() && is_below(path, own.folder() + compiled)) return true;
  if (!own.measurement) return false;
  const auto named = [&path](const package::Part& part) {
    return part.kind == package::PartKind::kNativeLibrary &&
           file_name(part.name) == file_name(path);
  };
  if (std::ranges::none_of(own.measurement->parts, named)) return false;
  const Result<Bytes> content = read_whole(context.kernel, path, 512 << 20);
  if (!content) return false;
  const Sha256Digest digest = crypto::sha256(*content);
  return std::ranges::any_of(own.measurement->parts, [&](const package::Part& part) {
    return named(part) && part.sha256 == digest;
  });
}

void check_files(const Context& context, Findings& out) {
  std::set<std::string> judged;
  for (const Mapping& mapping : context.maps) {
    if (!mapping.of_file() || !mapping.executable) continue;
    if (is_system_file(context.rules, mapping.path)) continue;
    const bool package = context.own.is_package(mapping.path);
    // The SDK's own library is judged against the package by check_own_code.
    if (mapping.path == context.own.library_path && !package) continue;
    // A file is judged once, a package for each library in it.
    if (!package && !judged.insert(mapping.path).second) continue;
    if (!belongs_to_package(context, mapping)) {
      report(out, FindingId::kHookUnknownCode, mapping.path);
    }
  }
}

void check_names(const Context& context, Findings& out) {
  std::set<std::string> reported;
  for (const Mapping& mapping : context.maps) {
    const auto below = [&mapping](std::string_view folder) {
      return mapping.path.starts_with(folder);
    };
    if (mapping.path.empty()) continue;
    if (!name_mark(mapping.path) && std::ranges::none_of(kFolderMarks, below)) continue;
    if (reported.insert(mapping.path).second) {
      report(out, FindingId::kHookFramework, mapping.path);
    }
  }
}

}  // namespace

void check_unknown_code(const Context& context, Findings& out) {
  check_files(context, out);
  for (const Run& run : runs_without_file(context.maps)) check_run(context, run, out);
  check_names(context, out);
}

}  // namespace touchmark::attester::checks
