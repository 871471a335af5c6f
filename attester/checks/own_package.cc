#include "attester/checks/own_package.h"

#include <unistd.h>

#include <algorithm>

#include "attester/checks/compare.h"
#include "attester/checks/elf.h"
#include "attester/core/machine.h"
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
                   Findings& out) {
  if (!platform_path.empty() && !same_file(platform_path, own.package_path)) {
    report(out, FindingId::kAppPathMismatch,
           "loaded from " + own.package_path + ", the platform names " + platform_path);
  }
  if (!rules.packages_have_other_owner) return;
  const Result<RawFile> file = RawFile::open(own.package_path);
  const Result<FileStatus> status = file ? file->status() : Result<FileStatus>(pass(file));
  if (status && status->owner == ::getuid()) {
    report(out, FindingId::kAppPathMismatch,
           own.package_path + " belongs to the app's own user: it was not installed");
  }
}

// The library as the package holds it: the base, or the split for this processor.
Result<Bytes> packaged_library(const OwnPackage& own) {
  const std::string name =
      "lib/" + std::string(abi_name(kOwnMachine)) + "/" + std::string(file_name(own.library_path));
  for (const std::string& path : own.packages) {
    const auto source = open_source(path);
    if (!source) return pass(source);
    Bytes out;
    const Result<void> read =
        package::read_part(**source, name, [&out](ByteView piece) -> Result<void> {
          if (out.size() + piece.size() > kMaxLibraryBytes) {
            return fail(RawFileError::kTooLarge, "the packaged library is too large");
          }
          append(out, piece);
          return {};
        });
    if (!read && read.error().is(package::PackageError::kNoSuchPart)) continue;
    if (!read) return pass(read);
    if (!out.empty()) return out;
  }
  return fail(RawFileError::kNotFound, name + " is not in the package");
}

// The first linked address where executable memory differs from the image, if any.
std::optional<std::uint64_t> first_difference(const Module& module, ByteView image,
                                              const ElfImage& elf) {
  constexpr std::uint64_t kPageMask = ~std::uint64_t{0xfff};
  const auto bias =
      static_cast<std::uintptr_t>(module.start - (elf.segments.front().address & kPageMask));
  for (const ElfSegment& segment : elf.segments) {
    if (!segment.executable) continue;
    if (segment.offset > image.size() || segment.file_size > image.size() - segment.offset) {
      return segment.address;
    }
    const auto size = static_cast<std::size_t>(segment.file_size);
    Bytes memory(size);
    const std::size_t got =
        copy_memory(bias + static_cast<std::uintptr_t>(segment.address), memory);
    const ByteView expected = image.subspan(static_cast<std::size_t>(segment.offset), size);
    const std::size_t at = got < expected.size() ? got : next_difference(memory, expected);
    if (at < expected.size()) return segment.address + at;
  }
  return std::nullopt;
}

}  // namespace

std::string package_of(const std::string& library_path) {
  if (is_split(file_name(library_path))) return parent(library_path) + "/" + std::string(kBase);
  if (library_path.ends_with(kPackageSuffix)) return library_path;
  const std::string lib_dir = parent(parent(library_path));
  if (file_name(lib_dir) != "lib") return {};
  return parent(lib_dir) + "/" + std::string(kBase);
}

std::vector<std::string> packages_of(const std::string& base_path) {
  std::vector<std::string> out{base_path};
  const std::string folder = parent(base_path);
  const auto names = list_folder(folder);
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

Result<package::Measurement> MeasurementCache::measure(const std::vector<std::string>& paths) {
  const MutexLock lock(mutex_);
  std::vector<FileStatus> now;
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<const Source*> views;
  for (const std::string& path : paths) {
    Result<RawFile> file = RawFile::open(path);
    if (!file) return pass(file);
    const Result<FileStatus> status = file->status();
    if (!status) return pass(status);
    auto source = to_source(std::move(*file), *status);
    if (!source) return pass(source);
    now.push_back(*status);
    views.push_back(source->get());
    sources.push_back(std::move(*source));
  }
  if (measurement_ && status_ == now) return *measurement_;
  Result<package::Measurement> measurement = views.size() == 1
                                                 ? package::measure_apk(*views.front())
                                                 : package::android::measure_splits(views);
  if (!measurement) return measurement;
  status_ = std::move(now);
  measurement_ = *measurement;
  return measurement;
}

OwnPackage find_own_package(const Rules& rules, const std::vector<Module>& modules,
                            const std::string& platform_path, MeasurementCache& cache,
                            Findings& out) {
  OwnPackage own;
  const Module* module = find_module(modules, rules.own_code);
  if (module == nullptr) {
    report(out, FindingId::kAppUnreadable, "this code was not loaded from a file");
    return own;
  }
  own.library_path = module->path;
  own.package_path = package_of(module->path);
  if (own.package_path.empty()) {
    report(out, FindingId::kAppUnreadable, module->path + " does not lie in an installed package");
    return own;
  }
  compare_paths(rules, own, platform_path, out);
  own.packages = packages_of(own.package_path);
  Result<package::Measurement> measurement = cache.measure(own.packages);
  if (!measurement) {
    report(out, FindingId::kAppUnreadable, own.package_path + ": " + measurement.error().text());
    return own;
  }
  own.measurement = std::move(*measurement);
  return own;
}

void check_own_code(const Context& context, Findings& out) {
  if (!context.own.measurement) return;  // app.unreadable stands already
  const Module* module = find_module(context.modules, context.rules.own_code);
  if (module == nullptr) return;
  const auto refuse = [&out](std::string detail) {
    report(out, FindingId::kAppCodeNotFromPackage, std::move(detail));
  };
  const Result<Bytes> packaged = packaged_library(context.own);
  if (!packaged) return refuse(packaged.error().text());
  const Result<ElfImage> elf = parse_elf(*packaged);
  if (!elf || elf->segments.empty()) return refuse("the packaged library is no library");
  if (const auto at = first_difference(*module, *packaged, *elf)) {
    return refuse("loaded code differs at " + hex_text(*at));
  }
  if (context.own.library_path == context.own.package_path) return;
  // The rest of the file too: data and relocations decide what the code does.
  const Result<Bytes> on_disk = read_whole(context.own.library_path, kMaxLibraryBytes);
  if (!on_disk || crypto::sha256(*on_disk) != crypto::sha256(*packaged)) {
    refuse(context.own.library_path + " differs from the one in the package");
  }
}

}  // namespace touchmark::attester::checks
