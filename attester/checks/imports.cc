// The functions that the SDK's library calls, and the virtual machine's own libraries, against the
// modules that should hold them.
//
// Loaders differ in where they look first: glibc and Android begin with the program and what was
// preloaded, Android goes on with libraries marked global, each with rules of its own for
// namespaces. So no order is followed here. A pointer is right when it leads to what a module of
// the system defines under that very name, wherever the loader came across it: Android's
// app_process and its libsigchain stand before libc with sigaction, for example, and have to. A
// module of the app must be one that the caller names as needed.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "attester/checks/check.h"
#include "attester/checks/image.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::size_t kMaxImages = 256;

// A module's image and what it defines.
struct Definer {
  const LoadedImage& image;
  std::vector<std::pair<std::uintptr_t, const ElfExport*>> named = {};  // ascending
  std::vector<std::string_view> indirect = {};  // those that are chosen at load, ascending

  void index() {
    named.reserve(image.elf.exports.size());
    for (const ElfExport& symbol : image.elf.exports) {
      if (symbol.chosen_at_load) {
        indirect.push_back(symbol.name);
      } else {
        named.emplace_back(image.at(symbol.address), &symbol);
      }
    }
    std::ranges::sort(named, {}, [](const auto& entry) { return entry.first; });
    std::ranges::sort(indirect);
  }

  bool defines(std::string_view name, std::uintptr_t target) const {
    const auto here =
        std::ranges::equal_range(named, target, {}, [](const auto& entry) { return entry.first; });
    const auto called = [name](const auto& entry) { return entry.second->name == name; };
    // What an indirect function chooses lies beside it, or in the kernel's page of functions.
    return std::ranges::any_of(here, called) || (is_indirect(name) && has_unnamed(target));
  }
  // Whether the target is code here that no name is for: such as an entry of the procedure linkage
  // table, through which glibc's loader makes the first call.
  bool has_unnamed(std::uintptr_t target) const {
    return image.module->executes(target) &&
           !std::ranges::binary_search(named, target, {},
                                       [](const auto& entry) { return entry.first; });
  }
  bool names(std::string_view name) const {
    return std::ranges::any_of(image.elf.exports,
                               [name](const ElfExport& symbol) { return symbol.name == name; });
  }
  bool is_indirect(std::string_view name) const {
    return std::ranges::binary_search(indirect, name);
  }
};

// Pointers in memory, read a page at a time: those of a table lie side by side.
class PointerReader {
 public:
  PointerReader(const Kernel& kernel, Machine machine) : kernel_(kernel), machine_(machine) {}

  // nullopt where nothing can be read: the module was unloaded meanwhile.
  std::optional<std::uintptr_t> read(std::uintptr_t address) {
    const std::uintptr_t page = address / kPage * kPage;
    if (page != page_ || size_ == 0) {
      page_ = page;
      size_ = kernel_.copy_memory(page, bytes_);
    }
    const std::size_t at = address - page;
    if (at + pointer_size(machine_) > size_) return std::nullopt;
    return pointer_in(bytes_, at, machine_);
  }

 private:
  static constexpr std::size_t kPage = 4096;
  const Kernel& kernel_;
  Machine machine_;
  std::array<std::byte, kPage> bytes_{};
  std::uintptr_t page_ = 0;
  std::size_t size_ = 0;
};

class ImportCheck {
 public:
  ImportCheck(const Context& context, Findings& out)
      : context_(context), out_(out), pointers_(context.kernel, context.rules.machine) {}

  void run(const Module& own) {
    Definer* first = definer(own);
    if (first == nullptr) {
      return report(out_, FindingId::kHookImportRedirected,
                    "the library's own file cannot be read");
    }
    follow(*first);
    while (!queue_.empty()) {
      const Definer& next = *queue_.front();
      queue_.pop_front();
      for (const std::string& name : next.image.elf.needed) follow_named(name);
      check(next);
    }
    check_watched();
    for (const Doubt& doubt : doubts_) settle(doubt);
  }

 private:
  // An import that can be judged only when all modules are known.
  struct Doubt {
    const Definer* importer = nullptr;
    const ElfImport* import = nullptr;
    std::uintptr_t target = 0;
  };

  // Their own imports, and not those of all that they need, which is half of the system.
  void check_watched() {
    following_ = false;
    for (const Module& module : context_.modules) {
      if (!is_system(module) || !is_watched(file_name(module.path))) continue;
      const Definer* found = followed_.contains(module.start) ? nullptr : definer(module);
      if (found != nullptr) check(*found);
    }
  }

  bool is_watched(std::string_view name) const {
    return std::ranges::find(context_.rules.watched_libraries, name) !=
           context_.rules.watched_libraries.end();
  }
  bool is_system(const Module& module) const { return is_system_file(context_.rules, module.path); }
  bool is_trusted(const Module& module) const {
    return is_system(module) || is_own_file(context_, module.path);
  }

  // nullptr when the module's file cannot be read.
  Definer* definer(const Module& module) {
    const auto known = definers_.find(module.start);
    if (known != definers_.end()) return known->second ? &*known->second : nullptr;
    std::optional<Definer>& made = definers_[module.start];
    if (const LoadedImage* image = context_.images.find(module)) {
      made.emplace(Definer{*image});
      made->index();
    }
    return made ? &*made : nullptr;
  }

  void follow(const Definer& found) {
    if (!following_ || followed_.size() >= kMaxImages ||
        !followed_.insert(found.image.module->start).second) {
      return;
    }
    queue_.push_back(&found);
  }

  // A name leads to a module of the system or of the app, so that a library elsewhere which only
  // bears the right name is not looked at as one of them.
  void follow_named(const std::string& name) {
    if (!needed_.insert(name).second) return;
    for (const Module& module : context_.modules) {
      if (!is_trusted(module) || !may_be(file_name(module.path), name)) continue;
      const Definer* found = definer(module);
      if (found != nullptr && is_named(*found, name)) follow(*found);
    }
  }

  static bool is_named(const Definer& module, const std::string& name) {
    return module.image.elf.soname == name || file_name(module.image.module->path) == name;
  }

  // A file's name may carry the full version where the needed name has the major one: libcurl.so.4
  // is in libcurl.so.4.8.0, and an older libc.so.6 in libc-2.31.so. An APK holds any.
  static bool may_be(std::string_view file, std::string_view needed) {
    if (file.ends_with(".apk")) return true;
    const std::string_view stem = needed.substr(0, needed.find(".so"));
    const std::string_view rest = file.substr(std::min(stem.size(), file.size()));
    return file.starts_with(stem) && (rest.starts_with(".so") || rest.starts_with('-'));
  }

  // Imports of one module. 0 is a weak import that nobody defines.
  void check(const Definer& importer) {
    for (const ElfImport& import : importer.image.elf.imports) {
      const auto pointer = pointers_.read(importer.image.at(import.slot));
      if (!pointer || *pointer == 0) continue;
      const std::uintptr_t target = *pointer - static_cast<std::uintptr_t>(import.addend);
      if (importer.has_unnamed(target) || importer.defines(import.name, target)) continue;
      if (!is_right(import, target)) doubts_.push_back({&importer, &import, target});
    }
  }

  // Whether a module of the system says that this is the function of that name.
  bool is_right(const ElfImport& import, std::uintptr_t target) {
    const Module* module = find_module(context_.modules, target);
    if (module == nullptr || !is_system(*module)) return false;
    // The program itself may set such a pointer again, to any function that the system has.
    if (import.variable && module->executes(target)) return true;
    const Definer* found = definer(*module);
    // A file of the system that apps may not read.
    if (found == nullptr) return module->executes(target);
    if (!found->defines(import.name, target) && !is_of_the_loader(*found, import.name, target)) {
      return false;
    }
    follow(*found);
    return true;
  }

  // Up to Android 8 the loader made the symbols of libdl.so up while it ran, and no file has them
  // (bionic/linker/dlfcn.cpp: get_libdl_info). Up to 7 there is no such library in memory.
  bool is_of_the_loader(const Definer& module, std::string_view name, std::uintptr_t target) const {
    static constexpr std::array<std::string_view, 2> kLoaders = {"linker64", "linker"};
    static constexpr std::array<std::string_view, 16> kNames = {
        "dlopen",
        "dlclose",
        "dlsym",
        "dlvsym",
        "dlerror",
        "dladdr",
        "dl_iterate_phdr",
        "dl_unwind_find_exidx",
        "android_dlopen_ext",
        "android_dlwarning",
        "android_init_namespaces",
        "android_create_namespace",
        "android_update_LD_LIBRARY_PATH",
        "android_get_LD_LIBRARY_PATH",
        "android_set_application_target_sdk_version",
        "android_get_application_target_sdk_version"};
    const std::string_view file = file_name(module.image.module->path);
    if (std::ranges::find(kLoaders, file) == kLoaders.end() || module.names(name)) return false;
    const bool made_up = name.starts_with("__loader_") ||
                         (std::ranges::find(kNames, name) != kNames.end() && !has_libdl());
    return made_up && module.image.module->executes(target);
  }

  bool has_libdl() const {
    return std::ranges::any_of(context_.modules, [this](const Module& module) {
      return file_name(module.path) == "libdl.so" && is_system(module);
    });
  }

  // With all modules known: the app's own, and what the system's indirect functions chose.
  void settle(const Doubt& doubt) {
    const Module* module = find_module(context_.modules, doubt.target);
    if (module != nullptr && is_own_file(context_, module->path)) {
      if (doubt.import->variable && module->executes(doubt.target)) return;
      const Definer* found = definer(*module);
      if (found != nullptr && found->defines(doubt.import->name, doubt.target) &&
          is_needed(*found)) {
        return;
      }
    }
    if (in_kernel_page(doubt.target) && is_indirect(doubt.import->name)) return;
    report(out_, FindingId::kHookImportRedirected,
           std::string(file_name(doubt.importer->image.module->path)) + ": " +
               std::string(doubt.import->name) + " -> " + describe(doubt.target));
  }

  bool is_needed(const Definer& module) const {
    return std::ranges::any_of(
        needed_, [&module](const std::string& name) { return is_named(module, name); });
  }

  // Whether a followed module holds this name as an indirect function (time, gettimeofday, ...).
  bool is_indirect(std::string_view name) const {
    return std::ranges::any_of(definers_, [&](const auto& entry) {
      return entry.second && followed_.contains(entry.first) && entry.second->is_indirect(name);
    });
  }

  bool in_kernel_page(std::uintptr_t target) const {
    return std::ranges::any_of(context_.maps, [target](const Mapping& mapping) {
      return mapping.path == "[vdso]" && mapping.holds(target);
    });
  }

  std::string describe(std::uintptr_t target) const {
    const Mapping* found = find_mapping(context_.maps, target);
    if (found == nullptr) return "unmapped memory";
    return found->path.empty() ? "anonymous memory" : found->path;
  }

  const Context& context_;
  Findings& out_;
  PointerReader pointers_;
  std::map<std::uintptr_t, std::optional<Definer>> definers_;  // by the module's start
  std::set<std::uintptr_t> followed_;
  bool following_ = true;
  std::set<std::string> needed_;
  std::deque<const Definer*> queue_;
  std::vector<Doubt> doubts_;
};

}  // namespace

void check_imports(const Context& context, Findings& out) {
  const Module* own = find_module(context.modules, context.rules.own_code);
  if (own == nullptr) {
    return report(out, FindingId::kHookImportRedirected, "the library's own file cannot be read");
  }
  ImportCheck(context, out).run(*own);
}

}  // namespace touchmark::attester::checks
