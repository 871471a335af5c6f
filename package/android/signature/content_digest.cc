#include "package/android/signature/content_digest.h"

#include <algorithm>
#include <array>

#include "base/parallel.h"
#include "crypto/digest.h"
#include "package/android/signature/merkle_tree.h"

namespace touchmark::package::signature {
namespace {

constexpr std::uint64_t kChunkBytes = 1 << 20;
constexpr std::size_t kReadBytes = 256 << 10;  // stays in the core's cache between read and digest
constexpr std::size_t kEndRecordOffsetField = 16;  // of the central directory's offset

void put_u32(std::span<std::byte> out, std::uint64_t value) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
}

// The digested bytes as one sequence of three segments.
class Content {
 public:
  Content(const Source& source, const ContentLayout& layout)
      : source_(source),
        directory_offset_(layout.central_directory_offset),
        end_record_(layout.end_record),
        sizes_{layout.block_offset, layout.end_record_offset - layout.central_directory_offset,
               layout.end_record.size()} {
    // Signing moved the central directory by the block's size; digests are over the file before
    // that.
    put_u32(std::span(end_record_).subspan(kEndRecordOffsetField), layout.block_offset);
  }

  static constexpr std::size_t kSegments = 3;
  std::uint64_t size(std::size_t segment) const { return sizes_[segment]; }
  std::uint64_t size() const { return sizes_[0] + sizes_[1] + sizes_[2]; }

  Result<void> read(std::size_t segment, std::uint64_t offset, std::span<std::byte> out) const {
    if (segment < 2) return source_.read_at(segment * directory_offset_ + offset, out);
    std::copy_n(end_record_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }

  // Reads across segments; the bytes must exist.
  Result<void> read_joined(std::uint64_t offset, std::span<std::byte> out) const {
    for (std::size_t segment = 0; segment < kSegments && !out.empty(); ++segment) {
      if (offset >= sizes_[segment]) {
        offset -= sizes_[segment];
        continue;
      }
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), sizes_[segment] - offset));
      if (auto r = read(segment, offset, out.first(count)); !r) return pass(r);
      out = out.subspan(count);
      offset = 0;
    }
    return {};
  }

 private:
  const Source& source_;
  std::uint64_t directory_offset_;
  Bytes end_record_;
  std::array<std::uint64_t, kSegments> sizes_;
};

struct Chunk {
  std::size_t segment;
  std::uint64_t offset;  // in the segment
  std::uint64_t size;
};

// Every segment is cut on its own, so that only its last chunk is short; an empty one has none.
std::vector<Chunk> cut(const Content& content) {
  std::vector<Chunk> chunks;
  for (std::size_t segment = 0; segment < Content::kSegments; ++segment) {
    for (std::uint64_t at = 0; at < content.size(segment); at += kChunkBytes) {
      chunks.push_back({segment, at, std::min(kChunkBytes, content.size(segment) - at)});
    }
  }
  return chunks;
}

struct ChunkedDigest {
  ContentDigest id;
  crypto::DigestAlgorithm algorithm;
  Bytes joined;  // 0x5a, number of chunks, digest of each chunk in order
};

// Digest of each chunk: over 0xa5, the chunk's size and its bytes.
Result<void> digest_chunk(const Content& content, const Chunk& chunk, std::size_t index,
                          std::span<std::byte> buffer, std::vector<ChunkedDigest>& outputs) {
  std::array<std::byte, 5> prefix{std::byte{0xa5}};
  put_u32(std::span(prefix).subspan(1), chunk.size);
  std::vector<crypto::Digester> digesters;
  for (const ChunkedDigest& output : outputs) {
    digesters.emplace_back(output.algorithm).update(prefix);
  }
  for (std::uint64_t done = 0; done < chunk.size;) {
    const auto piece = buffer.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), chunk.size - done)));
    if (auto r = content.read(chunk.segment, chunk.offset + done, piece); !r) return pass(r);
    for (crypto::Digester& digester : digesters) digester.update(piece);
    done += piece.size();
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Bytes digest = digesters[i].finish();
    std::copy(digest.begin(), digest.end(),
              outputs[i].joined.begin() + static_cast<std::ptrdiff_t>(5 + index * digest.size()));
  }
  return {};
}

Result<void> compute_chunked(const Content& content, unsigned threads,
                             std::vector<ChunkedDigest>& outputs) {
  const std::vector<Chunk> chunks = cut(content);
  for (ChunkedDigest& output : outputs) {
    output.joined.resize(5 + chunks.size() * crypto::digest_size(output.algorithm));
    output.joined[0] = std::byte{0x5a};
    put_u32(std::span(output.joined).subspan(1), chunks.size());
  }
  return for_each_parallel(chunks.size(), threads, [&] {
    return [&, buffer = Bytes(kReadBytes)](std::size_t index) mutable {
      return digest_chunk(content, chunks[index], index, buffer, outputs);
    };
  });
}

}  // namespace

ContentDigester::ContentDigester(const Source& source, ContentLayout layout, unsigned threads)
    : source_(source),
      layout_(std::move(layout)),
      threads_(threads == 0 ? worker_threads() : threads) {}

Result<void> ContentDigester::compute(const std::set<ContentDigest>& wanted) {
  const Content content(source_, layout_);
  std::vector<ChunkedDigest> chunked;
  for (const ContentDigest id : wanted) {
    if (known_.contains(id) || id == ContentDigest::kVeritySha256) continue;
    chunked.push_back({id,
                       id == ContentDigest::kChunkedSha512 ? crypto::DigestAlgorithm::kSha512
                                                           : crypto::DigestAlgorithm::kSha256,
                       {}});
  }
  if (!chunked.empty()) {
    if (auto r = compute_chunked(content, threads_, chunked); !r) return pass(r);
    for (const ChunkedDigest& done : chunked) {
      known_[done.id] = crypto::digest(done.algorithm, done.joined);
    }
  }
  if (wanted.contains(ContentDigest::kVeritySha256) &&
      !known_.contains(ContentDigest::kVeritySha256)) {
    static constexpr std::array<std::byte, 8> kSalt{};
    auto root = merkle_root(
        {.size = content.size(),
         .read = [&](std::uint64_t offset,
                     std::span<std::byte> out) { return content.read_joined(offset, out); },
         .salt = kSalt,
         .threads = threads_,
         .visit = {}});
    if (!root) return pass(root);
    for (std::size_t i = 0; i < 8; ++i) {
      root->push_back(static_cast<std::byte>(content.size() >> (8 * i)));
    }
    known_[ContentDigest::kVeritySha256] = std::move(*root);
  }
  return {};
}

}  // namespace touchmark::package::signature
