#include "package/ios/app_images.h"

#include <algorithm>
#include <iterator>

#include "base/encoding.h"
#include "base/endian.h"
#include "base/parallel.h"
#include "crypto/digest.h"
#include "package/ios/code_signature.h"
#include "package/ios/ipa.h"
#include "package/model/member.h"

namespace touchmark::package::ios {
namespace {

constexpr std::size_t kMaxImageFiles = 1024;
constexpr std::size_t kMaxImageSignature = std::size_t{32} << 20;
// Below this many bytes threads cost more than they save.
constexpr std::uint64_t kParallelImageBytes = std::uint64_t{1} << 20;

bool begins_as_image(ByteView start) {
  if (start.size() < 8) return false;
  const std::uint32_t magic = be32(start, 0);
  // A Java class file begins as a universal file does; what follows is its version, over 16.
  if (magic == 0xcafebabe || magic == 0xcafebabf) return be32(start, 4) <= 16;
  return le32(start, 0) == 0xfeedfacf;
}

// Where a part's bytes stand in a file that passes by.
class PartStream {
 public:
  PartStream(const ImagePart& part, std::uint64_t slice_offset)
      : part_(&part), slice_offset_(slice_offset) {}

  // `piece`: the file's bytes from `at`. Pieces come in order.
  template <class Sink>
  Result<void> pass_by(std::uint64_t at, ByteView piece, const Sink& sink) {
    const std::uint64_t piece_end = at + piece.size();
    while (next_ < part_->extents.size()) {
      const Extent& extent = part_->extents[next_];
      const std::uint64_t begin = slice_offset_ + extent.offset;
      const std::uint64_t end = begin + extent.size;
      const std::uint64_t from = std::max(begin, at);
      const std::uint64_t to = std::min(end, piece_end);
      if (from < to) {
        if (auto ok = sink(piece.subspan(static_cast<std::size_t>(from - at),
                                         static_cast<std::size_t>(to - from)));
            !ok) {
          return ok;
        }
      }
      if (end > piece_end) break;
      ++next_;
    }
    return {};
  }

 private:
  const ImagePart* part_;
  std::uint64_t slice_offset_;
  std::size_t next_ = 0;
};

Result<ImageFile> read_image_file(const zip::ZipArchive& archive, const zip::ZipEntry& entry,
                                  std::string path) {
  const auto read = [&](std::span<const zip::ZipRange> ranges) {
    return archive.read_ranges(entry, ranges);
  };
  const auto slices = read_mach_o(entry.size, read, NeedsSignature::kNo);
  if (!slices) return pass(slices);
  std::vector<zip::ZipRange> heads;
  std::vector<MachSlice> wide;
  std::ranges::copy_if(*slices, std::back_inserter(wide), [](const MachSlice& slice) {
    return slice.wide && is_loadable_type(slice.file_type);
  });
  for (const MachSlice& slice : wide) heads.push_back({slice.offset, slice.head_size});
  const auto bytes = read(heads);
  if (!bytes) return pass(bytes);
  ImageFile out{&entry, std::move(path), {}};
  for (std::size_t i = 0; i < wide.size(); ++i) {
    auto image = parse_image((*bytes)[i], wide[i].size);
    if (!image) return pass(image);
    if (image->encrypted) {
      return fail(IpaError::kEncrypted,
                  "a store has encrypted it; register the IPA that Xcode exported");
    }
    out.slices.push_back({wide[i], *std::move(image)});
  }
  return out;
}

Result<std::vector<Part>> digest_file(const zip::ZipArchive& archive, const ImageFile& file) {
  struct Job {
    PartStream stream;
    crypto::Sha256 sha;
    Part part;
  };
  std::vector<Job> jobs;
  for (const ImageFile::Slice& slice : file.slices) {
    for (const ImagePart& part : slice.image.parts) {
      jobs.push_back({PartStream(part, slice.place.offset),
                      {},
                      {image_part_name(file.path, slice.image, part.name),
                       PartKind::kNativeLibrary,
                       part.size(),
                       {}}});
    }
  }
  std::uint64_t at = 0;
  const auto update = [&](ByteView piece) -> Result<void> {
    for (Job& job : jobs) {
      const auto add = [&job](ByteView bytes) -> Result<void> {
        job.sha.update(bytes);
        return {};
      };
      if (auto ok = job.stream.pass_by(at, piece, add); !ok) return ok;
    }
    at += piece.size();
    return {};
  };
  if (auto ok = archive.stream(*file.entry, update); !ok) return pass(ok);
  std::vector<Part> out;
  for (Job& job : jobs) {
    job.part.sha256 = job.sha.finish();
    out.push_back(std::move(job.part));
  }
  return out;
}

// In hex; "" where there is no signature.
Result<std::string> code_directory(const zip::ZipArchive& archive, const ImageFile& file,
                                   const MachSlice& slice) {
  if (slice.signature_size == 0) return std::string();
  if (slice.signature_size > kMaxImageSignature) {
    return fail(CodeSignatureError::kMalformed, "a code signature over 32 MiB");
  }
  const auto blob = archive.read_range(*file.entry, slice.offset + slice.signature_offset,
                                       static_cast<std::size_t>(slice.signature_size));
  if (!blob) return pass(blob);
  const auto signature = parse_code_signature(*blob);
  if (!signature) return pass(signature);
  return hex_encode(signature->strongest().cdhash());
}

}  // namespace

Result<std::vector<ImageFile>> find_images(const zip::ZipArchive& archive,
                                           std::string_view folder) {
  std::vector<ImageFile> out;
  std::size_t parts = 0;
  for (const zip::ZipEntry& entry : archive.entries()) {
    if (entry.is_directory() || !entry.name.starts_with(folder)) continue;
    std::string path = entry.name.substr(folder.size());
    if (path.starts_with("Watch/")) continue;
    const auto start = archive.read_range(entry, 0, 8);
    if (!start) return in_member(entry.name, start.error());
    if (!begins_as_image(*start)) continue;
    auto file = read_image_file(archive, entry, std::move(path));
    if (!file) return in_member(entry.name, file.error());
    if (file->slices.empty()) continue;
    for (const ImageFile::Slice& slice : file->slices) parts += slice.image.parts.size();
    if (out.size() == kMaxImageFiles || parts > kMaxImageParts) {
      return fail(IpaError::kTooManyImages, "over " + std::to_string(kMaxImageFiles) +
                                                " images, or over " +
                                                std::to_string(kMaxImageParts) + " parts of them");
    }
    out.push_back(*std::move(file));
  }
  return out;
}

Result<void> read_image_part(const zip::ZipArchive& archive, const ImageFile& file,
                             const ImageFile::Slice& slice, const ImagePart& part,
                             const std::function<Result<void>(ByteView)>& sink) {
  PartStream stream(part, slice.place.offset);
  std::uint64_t at = 0;
  return archive.stream(*file.entry, [&](ByteView piece) -> Result<void> {
    if (auto ok = stream.pass_by(at, piece, sink); !ok) return ok;
    at += piece.size();
    return {};
  });
}

Result<std::vector<Part>> digest_images(const zip::ZipArchive& archive,
                                        const std::vector<ImageFile>& files) {
  std::uint64_t total = 0;
  for (const ImageFile& file : files) total += file.entry->size;
  std::vector<std::vector<Part>> digested(files.size());
  const auto make_work = [&] {
    return [&](std::size_t i) -> Result<void> {
      auto parts = digest_file(archive, files[i]);
      if (!parts) return in_member(files[i].entry->name, parts.error());
      digested[i] = *std::move(parts);
      return {};
    };
  };
  const unsigned threads = total < kParallelImageBytes ? 1 : worker_threads();
  if (auto ok = for_each_parallel(files.size(), threads, make_work); !ok) return pass(ok);
  std::vector<Part> out;
  for (std::vector<Part>& parts : digested) std::ranges::move(parts, std::back_inserter(out));
  std::ranges::sort(out, {}, &Part::name);
  // Two slices for one processor, which no phone could tell apart either.
  const auto twice = std::ranges::adjacent_find(out, {}, &Part::name);
  if (twice != out.end()) return fail(IpaError::kPartName, "two parts named " + twice->name);
  return out;
}

Result<std::vector<AppImage>> describe_images(const zip::ZipArchive& archive,
                                              const std::vector<ImageFile>& files,
                                              std::string_view executable) {
  std::vector<AppImage> out;
  for (const bool main : {true, false}) {
    for (const ImageFile& file : files) {
      if ((file.path == executable) != main) continue;
      for (const ImageFile::Slice& slice : file.slices) {
        auto directory = code_directory(archive, file, slice.place);
        if (!directory) return in_member(file.entry->name, directory.error());
        out.push_back({file.path + kImageMark + slice.image.architecture(),
                       slice.image.uuid ? hex_encode(*slice.image.uuid) : "",
                       *std::move(directory)});
      }
    }
  }
  return out;
}

}  // namespace touchmark::package::ios
