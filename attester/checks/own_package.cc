#include "attester/checks/own_package.h"

#include <algorithm>

#include "attester/checks/compare.h"
#include "attester/checks/elf.h"
#include "attester/checks/image.h"
#include "crypto/crypto.h"
#include "package/android/splits.h"
#include "package/package.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// The installer's names.
constexpr std::string_view kBase = "base.apk";
constexpr std::string_view kSplitPrefix = "split_";
constexpr std::string_view kPackageSuffix = ".apk";

constexpr std::size_t kMaxLibraryBytes = 256 << 20;

bool is_split(std::string_view name) {
  return name.starts_with(kSplitPrefix) && name.ends_with(kPackageSuffix);
}

std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

void compare_paths(const Rules& rules, const OwnPackage& own, const std::string& platform_path,
                   const Kernel& kernel, Findings& out) {
  if (!platform_path.empty() && !same_file(kernel, platform_path, own.package_path)) {
    report(out, FindingId::kAppPathMismatch,
           "loaded from " + own.package_path + ", the platform names " + platform_path);
  }
  if (!rules.first_app_user) return;
  constexpr std::uint32_t kUsersApart = 100'000;  // AID_USER_OFFSET
  const Result<FileStatus> status = kernel.status(own.package_path);
  if (status && status->owner % kUsersApart >= *rules.first_app_user) {
    report(out, FindingId::kAppPathMismatch,
           own.package_path + " belongs to an app's user: it was not installed");
  }
}

// What of a package can be mapped: parts that are stored as they are. The loader asks that they
// begin with a page.
Result<void> add_stored(const std::string& package, const Source& source,
                        std::vector<StoredPart>& out) {
  constexpr std::uint64_t kSmallestPage = 4096;
  const Result<zip::ZipArchive> archive = zip::ZipArchive::open(source);
  if (!archive) return pass(archive);
  for (const zip::ZipEntry& entry : archive->entries()) {
    if (entry.method != 0 || entry.size == 0 || entry.data_offset % kSmallestPage != 0) continue;
    out.push_back({package, entry.name, entry.data_offset, entry.size});
  }
  return {};
}

// The library that this code was loaded from, as the package holds it.
Result<Bytes> packaged_library(const Context& context, const Module& module) {
  const OwnPackage& own = context.own;
  if (own.is_package(module.path)) {
    const std::uint64_t base = module.mappings.front().offset;
    const StoredPart* part = own.stored_at(module.path, base);
    if (part == nullptr || part->offset != base || part->size > kMaxLibraryBytes) {
      return fail(RawFileError::kNotFound,
                  "what is mapped from " + module.path + " is none of its files");
    }
    const auto file = context.kernel.open(module.path);
    if (!file) return pass(file);
    Bytes out(static_cast<std::size_t>(part->size));
    const Result<std::size_t> got = (*file)->read_some(part->offset, out);
    if (!got) return pass(got);
    out.resize(*got);
    return out;
  }
  // What the installer took out of the package, as a whole: data and relocations decide, too, what
  // the code does. The measurement was made of the package as it is now.
  Result<Bytes> out = read_whole(context.kernel, module.path, kMaxLibraryBytes);
  if (!out) return out;
  const std::string name = "/" + std::string(file_name(module.path));
  const auto named = [&name](const package::Part& part) {
    return part.kind == package::PartKind::kNativeLibrary && part.name.ends_with(name);
  };
  if (std::ranges::none_of(own.measurement->parts, named)) {
    return fail(RawFileError::kNotFound, name.substr(1) + " is not in the package");
  }
  const Sha256Digest digest = crypto::sha256(*out);
  const bool same = std::ranges::any_of(own.measurement->parts, [&](const package::Part& part) {
    return named(part) && part.sha256 == digest;
  });
  if (!same) {
    return fail(RawFileError::kNotFound, module.path + " differs from the one in the package");
  }
  return out;
}

// The first linked address where executable memory differs from the image, if any.
std::optional<std::uint64_t> first_difference(const Context& context, const Module& module,
                                              ByteView image,
                                              const std::vector<ElfSegment>& segments) {
  const std::uintptr_t bias = load_bias(
      module, segments, context.own.is_package(module.path) ? module.mappings.front().offset : 0);
  for (const ElfSegment& segment : segments) {
    if (!segment.executable) continue;
    if (segment.offset > image.size() || segment.file_size > image.size() - segment.offset) {
      return segment.address;
    }
    const auto size = static_cast<std::size_t>(segment.file_size);
    Bytes memory(size);
    const std::size_t got =
        context.kernel.copy_memory(bias + static_cast<std::uintptr_t>(segment.address), memory);
    const ByteView expected = image.subspan(static_cast<std::size_t>(segment.offset), size);
    const std::size_t at = got < expected.size() ? got : next_difference(memory, expected);
    if (at < expected.size()) return segment.address + at;
  }
  return std::nullopt;
}

}  // namespace

std::string package_of(const std::string& library_path, const Kernel& kernel) {
  if (is_split(file_name(library_path))) return parent(library_path) + "/" + std::string(kBase);
  if (library_path.ends_with(kPackageSuffix)) return library_path;
  const std::string lib_dir = parent(parent(library_path));
  if (file_name(lib_dir) != "lib") return {};
  const std::string folder = parent(lib_dir);
  std::string base = folder + "/" + std::string(kBase);
  std::string named = folder + "/" + std::string(file_name(folder)) + std::string(kPackageSuffix);
  return !exists(kernel, base) && exists(kernel, named) ? named : base;
}

void follow_moved_package(const Rules& rules, std::vector<Mapping>& maps,
                          const std::string& platform_path, const Kernel& kernel) {
  const auto own = std::ranges::find_if(
      maps, [&rules](const Mapping& mapping) { return mapping.holds(rules.own_code); });
  if (own == maps.end() || !own->deleted) return;
  const std::string old_folder = parent(package_of(own->path, kernel));
  const std::string new_folder = parent(platform_path);
  if (old_folder.empty() || new_folder.empty()) return;
  for (Mapping& mapping : maps) {
    if (!mapping.deleted || mapping.inode == 0 || !is_below(mapping.path, old_folder)) continue;
    std::string moved = new_folder + mapping.path.substr(old_folder.size());
    const Result<FileStatus> status = kernel.status(moved);
    if (!status || status->inode != mapping.inode) continue;
    mapping.path = std::move(moved);
    mapping.deleted = false;
  }
  if (own->deleted || rules.compiled_code_folder.empty()) return;
  // The platform may have compiled the app again, where it is now.
  for (Mapping& mapping : maps) {
    if (!mapping.deleted || !is_below(mapping.path, old_folder + rules.compiled_code_folder)) {
      continue;
    }
    mapping.path = new_folder + mapping.path.substr(old_folder.size());
  }
}

std::vector<std::string> packages_of(const std::string& base_path, const Kernel& kernel) {
  std::vector<std::string> out{base_path};
  const std::string folder = parent(base_path);
  const auto names = kernel.list_folder(folder);
  if (!names || file_name(base_path) != kBase) return out;
  for (const std::string& name : *names) {
    if (is_split(name)) out.push_back(folder + "/" + name);
  }
  return out;
}

PartPlace place_of(const std::vector<std::string>& packages, const std::string& part) {
  const auto split = package::split_of(part);
  const std::string file =
      std::string(kSplitPrefix) + std::string(split) + std::string(kPackageSuffix);
  for (const std::string& package : packages) {
    if (!split.empty() && file_name(package) == file) {
      return {package, std::string(package::path_in_split(part))};
    }
  }
  return {packages.empty() ? "" : packages.front(), part};
}

Result<MeasuredPackages> MeasurementCache::measure(const std::vector<std::string>& paths,
                                                   const Kernel& kernel) {
  const MutexLock lock(mutex_);
  std::vector<FileStatus> now;
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<const Source*> views;
  for (const std::string& path : paths) {
    auto file = kernel.open(path);
    if (!file) return pass(file);
    const Result<FileStatus> status = (*file)->status();
    if (!status) return pass(status);
    auto source = to_source(std::move(*file), *status);
    if (!source) return pass(source);
    now.push_back(*status);
    views.push_back(source->get());
    sources.push_back(std::move(*source));
  }
  if (measured_ && status_ == now) return *measured_;
  Result<package::Measurement> measurement = views.size() == 1
                                                 ? package::measure_apk(*views.front())
                                                 : package::android::measure_splits(views);
  if (!measurement) return pass(measurement);
  MeasuredPackages measured{std::move(*measurement), {}};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Result<void> added = add_stored(paths[i], *views[i], measured.stored);
    if (!added) return pass(added);
  }
  status_ = std::move(now);
  measured_ = measured;
  return measured;
}

OwnPackage find_own_package(const Rules& rules, const std::vector<Module>& modules,
                            const std::string& platform_path, MeasurementCache& cache,
                            Findings& out, const Kernel& kernel) {
  OwnPackage own;
  const Module* module = find_module(modules, rules.own_code);
  if (module == nullptr) {
    report(out, FindingId::kAppUnreadable, "this code was not loaded from a file");
    return own;
  }
  own.library_path = module->path;
  own.package_path = package_of(module->path, kernel);
  if (own.package_path.empty()) {
    report(out, FindingId::kAppUnreadable, module->path + " does not lie in an installed package");
    return own;
  }
  compare_paths(rules, own, platform_path, kernel, out);
  own.packages = packages_of(own.package_path, kernel);
  Result<MeasuredPackages> measured = cache.measure(own.packages, kernel);
  if (!measured) {
    report(out, FindingId::kAppUnreadable, own.package_path + ": " + measured.error().text());
    return own;
  }
  own.measurement = std::move(measured->measurement);
  own.stored = std::move(measured->stored);
  return own;
}

void check_own_code(const Context& context, Findings& out) {
  if (!context.own.measurement) return;  // app.unreadable stands already
  const Module* module = find_module(context.modules, context.rules.own_code);
  if (module == nullptr) return;
  const auto refuse = [&out](std::string detail) {
    report(out, FindingId::kAppCodeNotFromPackage, std::move(detail));
  };
  const Result<Bytes> packaged = packaged_library(context, *module);
  if (!packaged) return refuse(packaged.error().text());
  const auto segments = parse_segments(*packaged, context.rules.machine);
  if (!segments || segments->empty()) return refuse("the packaged library is no library");
  if (const auto at = first_difference(context, *module, *packaged, *segments)) {
    refuse("loaded code differs at " + hex_text(*at));
  }
}

}  // namespace touchmark::attester::checks
