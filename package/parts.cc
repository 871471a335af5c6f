#include "package/parts.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "base/crypto.h"

namespace touchmark::package {
namespace {

// Below this many bytes a thread costs more than it saves.
constexpr std::uint64_t kParallelBytes = std::uint64_t{4} << 20;
constexpr unsigned kMaxThreads = 16;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// classes.dex, classes2.dex, ...: the dex files that the platform loads by itself.
bool is_dex(std::string_view name) {
  if (!name.starts_with("classes") || !name.ends_with(".dex")) return false;
  name.remove_prefix(7);
  name.remove_suffix(4);
  return std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

Result<Part> digest_part(const ZipArchive& archive, const ZipEntry& entry) {
  Sha256 sha;
  const auto update = [&](ByteView piece) -> Result<void> {
    sha.update(piece);
    return {};
  };
  if (auto ok = archive.stream(entry, update); !ok) return pass(ok);
  return Part{entry.name, kind_of(entry.name), entry.size, sha.finish()};
}

// Hands out entries to threads, the largest first so that no thread ends with a long one alone. The
// first failure stops the rest.
class DigestQueue {
 public:
  DigestQueue(const ZipArchive& archive, std::vector<const ZipEntry*> entries)
      : archive_(archive), entries_(std::move(entries)), parts_(entries_.size()) {
    std::ranges::sort(entries_, std::ranges::greater{}, &ZipEntry::size);
  }

  void work() {
    for (;;) {
      const std::size_t i = next_.fetch_add(1);
      if (i >= entries_.size()) return;
      auto part = digest_part(archive_, *entries_[i]);
      if (!part) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::move(part.error());
        next_ = entries_.size();
        return;
      }
      parts_[i] = *std::move(part);
    }
  }

  Result<std::vector<Part>> finish() {
    if (error_) return tl::unexpected<Error>(*std::move(error_));
    std::ranges::sort(parts_, {}, &Part::name);
    return std::move(parts_);
  }

 private:
  const ZipArchive& archive_;
  std::vector<const ZipEntry*> entries_;
  std::vector<Part> parts_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace

PartKind kind_of(std::string_view name) {
  if (name == "AndroidManifest.xml") return PartKind::kManifest;
  if (is_dex(name)) return PartKind::kDex;
  if (name.starts_with("lib/") && name.ends_with(".so")) return PartKind::kNativeLibrary;
  if (name == "resources.arsc" || name.starts_with("res/")) return PartKind::kResources;
  if (name.starts_with("assets/")) return PartKind::kAsset;
  return PartKind::kOther;
}

bool is_v1_signature_file(std::string_view name) {
  const std::string path = lower(name);
  constexpr std::string_view kFolder = "meta-inf/";
  if (!path.starts_with(kFolder)) return false;
  const std::string_view file = std::string_view(path).substr(kFolder.size());
  if (file.find('/') != file.npos) return false;
  return file == "manifest.mf" || file.ends_with(".sf") || file.ends_with(".rsa") ||
         file.ends_with(".dsa") || file.ends_with(".ec");
}

bool is_part(const ZipEntry& entry) {
  return !entry.is_directory() && !is_v1_signature_file(entry.name);
}

Result<std::vector<Part>> digest_parts(const ZipArchive& archive) {
  std::vector<const ZipEntry*> entries;
  std::uint64_t total = 0;
  for (const ZipEntry& entry : archive.entries()) {
    if (!is_part(entry)) continue;
    entries.push_back(&entry);
    total += entry.size;
  }
  DigestQueue queue(archive, std::move(entries));
  const std::uint64_t useful = total / kParallelBytes;
  const std::uint64_t cores =
      std::min(std::max(std::thread::hardware_concurrency(), 1u), kMaxThreads);
  std::vector<std::jthread> helpers;
  for (std::uint64_t i = 1; i < std::min(useful, cores); ++i) {
    helpers.emplace_back([&queue] { queue.work(); });
  }
  queue.work();
  helpers.clear();  // joins
  return queue.finish();
}

}  // namespace touchmark::package
