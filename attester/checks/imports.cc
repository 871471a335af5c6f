// The functions that the SDK's library calls, against the modules that should hold them.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "attester/checks/check.h"
#include "attester/checks/elf.h"
#include "attester/checks/raw_file.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::size_t kMaxImageBytes = 256 << 20;
constexpr std::size_t kMaxClosure = 256;

struct LoadedImage {
  const Module* module = nullptr;
  ElfImage elf;
  std::uintptr_t bias = 0;  // what to add to a linked address; wraps

  std::uintptr_t at(std::uint64_t linked) const {
    return bias + static_cast<std::uintptr_t>(linked);
  }
};

// The image of a loaded module, read from its file: what memory says of itself could be altered.
std::optional<LoadedImage> load_image(const Module& module) {
  const std::uint64_t base = module.mappings.front().offset;  // not 0 inside an APK
  const Result<RawFile> file = RawFile::open(module.path);
  if (!file) return std::nullopt;
  const Result<Bytes> bytes = read_whole(module.path, kMaxImageBytes);
  if (!bytes || base > bytes->size()) return std::nullopt;
  Result<ElfImage> elf = parse_elf(ByteView(*bytes).subspan(static_cast<std::size_t>(base)));
  if (!elf || elf->segments.empty()) return std::nullopt;
  constexpr std::uint64_t kPageMask = ~std::uint64_t{0xfff};
  const auto bias =
      static_cast<std::uintptr_t>(module.start - (elf->segments.front().address & kPageMask));
  return LoadedImage{&module, std::move(*elf), bias};
}

// The modules that the loader's rules let a library's imports come from: what it names as needed,
// and what those name in turn. A name leads to a module of the system or of the app, so that a
// library elsewhere which only bears the right name is not one of them.
class Closure {
 public:
  Closure(const Context& context, LoadedImage own) : context_(context) {
    add(std::move(own));
    for (std::size_t i = 0; i < images_.size() && images_.size() < kMaxClosure; ++i) {
      const std::vector<std::string> needed = images_[i].elf.needed;
      for (const std::string& name : needed) add_named(name);
    }
  }

  const std::vector<LoadedImage>& images() const { return images_; }

  // Whether `target` is what one of the modules defines under this name.
  bool defines(const std::string& name, std::uintptr_t target) const {
    const auto [begin, end] = exports_.equal_range(name);
    return std::any_of(begin, end, [target](const auto& entry) {
      const auto& [image, symbol] = entry.second;
      // What an indirect function chooses may lie beside it or in the kernel's page of functions,
      // which allows_indirect() judges.
      return symbol->chosen_at_load ? image->module->executes(target)
                                    : image->at(symbol->address) == target;
    });
  }

  // Whether one of the modules holds this name as an indirect function (time, gettimeofday, ...).
  bool is_indirect(const std::string& name) const {
    const auto [begin, end] = exports_.equal_range(name);
    return std::any_of(begin, end,
                       [](const auto& entry) { return entry.second.second->chosen_at_load; });
  }

  void index() {
    for (const LoadedImage& image : images_) {
      for (const ElfExport& symbol : image.elf.exports) {
        exports_.emplace(symbol.name, std::pair(&image, &symbol));
      }
    }
  }

 private:
  void add(LoadedImage image) {
    if (!seen_.insert(image.module->start).second) return;
    images_.push_back(std::move(image));
  }

  void add_named(const std::string& name) {
    if (!names_.insert(name).second) return;
    for (const Module& module : context_.modules) {
      const bool trusted = is_system_file(context_.rules, module.path) ||
                           is_below(module.path, context_.own.folder());
      if (!trusted || !may_be(file_name(module.path), name)) continue;
      std::optional<LoadedImage> image = load_image(module);
      if (image && (image->elf.soname == name || file_name(module.path) == name)) {
        add(std::move(*image));
      }
    }
  }

  // A file's name may carry the full version where the needed name has the major one: libcurl.so.4
  // is in libcurl.so.4.8.0, and an older libc.so.6 in libc-2.31.so.
  static bool may_be(std::string_view file, std::string_view needed) {
    const std::string_view stem = needed.substr(0, needed.find(".so"));
    const std::string_view rest = file.substr(std::min(stem.size(), file.size()));
    return file.starts_with(stem) && (rest.starts_with(".so") || rest.starts_with('-'));
  }

  const Context& context_;
  std::vector<LoadedImage> images_;
  std::set<std::uintptr_t> seen_;
  std::set<std::string> names_;
  std::unordered_multimap<std::string, std::pair<const LoadedImage*, const ElfExport*>> exports_;
};

std::string describe(const Context& context, std::uintptr_t target) {
  const auto found = std::ranges::find_if(
      context.maps, [target](const Mapping& mapping) { return mapping.holds(target); });
  if (found == context.maps.end()) return "unmapped memory";
  return found->path.empty() ? "anonymous memory" : found->path;
}

bool in_kernel_page(const Context& context, std::uintptr_t target) {
  return std::ranges::any_of(context.maps, [target](const Mapping& mapping) {
    return mapping.path == "[vdso]" && mapping.holds(target);
  });
}

// Imports of one module. `target` 0 is a weak import that nobody defines; one inside the module
// itself is its own entry of the procedure linkage table, before the first call.
void check_module(const Context& context, const Closure& closure, const LoadedImage& image,
                  Findings& out) {
  for (const ElfImport& import : image.elf.imports) {
    std::uintptr_t target = 0;
    if (copy_memory(image.at(import.slot), std::as_writable_bytes(std::span(&target, 1))) !=
        sizeof target) {
      continue;  // unloaded meanwhile
    }
    if (target == 0 || image.module->executes(target)) continue;
    if (closure.defines(import.name, target)) continue;
    if (closure.is_indirect(import.name) && in_kernel_page(context, target)) continue;
    report(out, FindingId::kHookImportRedirected,
           std::string(file_name(image.module->path)) + ": " + import.name + " -> " +
               describe(context, target));
  }
}

}  // namespace

void check_imports(const Context& context, Findings& out) {
  const Module* own = find_module(context.modules, context.rules.own_code);
  std::optional<LoadedImage> image =
      own == nullptr ? std::optional<LoadedImage>() : load_image(*own);
  if (!image) {
    report(out, FindingId::kHookImportRedirected, "the library's own file cannot be read");
    return;
  }
  Closure closure(context, std::move(*image));
  closure.index();
  for (const LoadedImage& module : closure.images()) check_module(context, closure, module, out);
}

}  // namespace touchmark::attester::checks
