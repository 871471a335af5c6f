#include "package/model/parts.h"

#include <algorithm>

#include "base/parallel.h"
#include "crypto/digest.h"

namespace touchmark::package {
namespace {

// Below this many bytes threads cost more than they save.
constexpr std::uint64_t kParallelBytes = std::uint64_t{1} << 20;

// classes.dex, classes2.dex, ...: the dex files that the platform loads by itself.
bool is_dex(std::string_view name) {
  if (!name.starts_with("classes") || !name.ends_with(".dex")) return false;
  name.remove_prefix(7);
  name.remove_suffix(4);
  return std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

struct Job {
  const zip::ZipEntry* entry = nullptr;
  std::string name;
};

Result<Part> digest_part(const zip::ZipArchive& archive, const Job& job) {
  crypto::Sha256 sha;
  const auto update = [&](ByteView piece) -> Result<void> {
    sha.update(piece);
    return {};
  };
  if (auto ok = archive.stream(*job.entry, update); !ok) return pass(ok);
  return Part{job.name, kind_of(job.name), job.entry->size, sha.finish()};
}

}  // namespace

PartKind kind_of(std::string_view name) {
  if (name == "AndroidManifest.xml") return PartKind::kManifest;
  if (is_dex(name)) return PartKind::kDex;
  if (name.starts_with("lib/") && name.ends_with(".so")) return PartKind::kNativeLibrary;
  if (name == "resources.arsc" || name.starts_with("res/")) return PartKind::kResources;
  if (name.starts_with("assets/")) return PartKind::kAsset;
  return PartKind::kOther;
}

bool is_part(const zip::ZipEntry& entry) {
  return !entry.is_directory() && !zip::is_v1_signature_file(entry.name);
}

Result<std::vector<Part>> digest_parts(const zip::ZipArchive& archive, const PartNames& names) {
  std::vector<Job> jobs;
  std::uint64_t total = 0;
  for (const zip::ZipEntry& entry : archive.entries()) {
    auto name = names(entry);
    if (!name) continue;
    // AOSP's verifier takes such a name, so verifying does; the platform's installer does not.
    if (name->find('\0') != name->npos) {
      return fail(zip::ZipError::kNameEncoding,
                  "the name at " + std::to_string(entry.header_offset) + " holds a NUL");
    }
    jobs.push_back({&entry, *std::move(name)});
    total += entry.size;
  }
  // The largest first, so that no thread ends with a long one alone.
  std::ranges::stable_sort(jobs, std::ranges::greater{},
                           [](const Job& job) { return job.entry->size; });
  std::vector<Part> parts(jobs.size());
  const auto make_work = [&] {
    return [&](std::size_t i) -> Result<void> {
      auto part = digest_part(archive, jobs[i]);
      if (!part) return pass(part);
      parts[i] = *std::move(part);
      return {};
    };
  };
  const unsigned threads = total < kParallelBytes ? 1 : worker_threads();
  if (auto ok = for_each_parallel(jobs.size(), threads, make_work); !ok) return pass(ok);
  std::ranges::sort(parts, {}, &Part::name);
  return parts;
}

Result<std::vector<Part>> digest_parts(const zip::ZipArchive& archive) {
  return digest_parts(archive, [](const zip::ZipEntry& entry) {
    return is_part(entry) ? std::optional(entry.name) : std::nullopt;
  });
}

}  // namespace touchmark::package
