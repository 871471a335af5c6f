#include "package/android/signature/merkle_tree.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/parallel.h"
#include "crypto/digest.h"

namespace touchmark::package::signature {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::uint64_t kPieceBytes = 1 << 20;
constexpr std::size_t kHashBytes = 256 << 10;
// A piece has 256 pages; their digests fill two pages of the lowest level.
constexpr std::uint64_t kPieceTreeBytes = kPieceBytes / kMerklePageBytes * kDigestBytes;

std::uint64_t pages_of(std::uint64_t bytes) {
  return (bytes + kMerklePageBytes - 1) / kMerklePageBytes;
}

// Bytes of each level, the lowest first, in whole pages.
std::vector<std::uint64_t> level_sizes(std::uint64_t size) {
  std::vector<std::uint64_t> levels;
  do {
    const std::uint64_t digests = pages_of(size) * kDigestBytes;
    levels.push_back(pages_of(digests) * kMerklePageBytes);
    size = digests;
  } while (size > kMerklePageBytes);
  return levels;
}

// Digests of the pages of `data`, appended to `out`; a last page that is not full counts as filled
// with zeros.
void digest_pages(ByteView data, ByteView salt, Bytes& out) {
  static constexpr std::array<std::byte, kMerklePageBytes> kZeros{};
  for (std::size_t at = 0; at < data.size(); at += kMerklePageBytes) {
    const ByteView page = data.subspan(at, std::min(kMerklePageBytes, data.size() - at));
    crypto::Digester digester(crypto::DigestAlgorithm::kSha256);
    digester.update(salt);
    digester.update(page);
    digester.update(ByteView(kZeros).first(kMerklePageBytes - page.size()));
    append(out, digester.finish());
  }
}

class Builder {
 public:
  explicit Builder(const MerkleTree& tree) : tree_(tree) {
    std::uint64_t offset = 0;
    const auto sizes = level_sizes(tree.size);
    offsets_.resize(sizes.size());
    for (std::size_t level = sizes.size(); level-- > 0;) {
      offsets_[level] = offset;
      offset += sizes[level];
    }
  }

  Result<Bytes> root() {
    auto digests = digests_of_lowest_level();
    if (!digests) return pass(digests);
    for (std::size_t level = 1; level < offsets_.size(); ++level) {
      if (auto r = visit(level, 0, *digests); !r) return pass(r);
      Bytes above;
      digest_pages(*digests, tree_.salt, above);
      *digests = std::move(above);
    }
    return digests;
  }

 private:
  Result<void> visit(std::size_t level, std::uint64_t offset, const Bytes& digests) const {
    if (!tree_.visit) return {};
    Bytes pages = digests;
    pages.resize(static_cast<std::size_t>(pages_of(pages.size()) * kMerklePageBytes));
    return tree_.visit(offsets_[level] + offset, pages);
  }

  // The lowest level is never kept: each piece is hashed up to the digests of its own pages there.
  Result<Bytes> digests_of_lowest_level() const {
    const auto pieces = static_cast<std::size_t>((tree_.size + kPieceBytes - 1) / kPieceBytes);
    std::vector<Bytes> above(pieces);
    auto done = for_each_parallel(pieces, tree_.threads, [&] {
      return [&, buffer = Bytes(kHashBytes)](std::size_t index) mutable {
        return hash_piece(index, buffer, above[index]);
      };
    });
    if (!done) return pass(done);
    Bytes joined;
    for (const Bytes& digests : above) append(joined, digests);
    return joined;
  }

  Result<void> hash_piece(std::size_t index, std::span<std::byte> buffer, Bytes& above) const {
    const std::uint64_t begin = index * kPieceBytes;
    const std::uint64_t end = std::min(tree_.size, begin + kPieceBytes);
    Bytes lowest;
    for (std::uint64_t at = begin; at < end; at += buffer.size()) {
      const auto part =
          buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - at)));
      if (auto r = tree_.read(at, part); !r) return pass(r);
      digest_pages(part, tree_.salt, lowest);
    }
    if (auto r = visit(0, index * kPieceTreeBytes, lowest); !r) return pass(r);
    digest_pages(lowest, tree_.salt, above);
    return {};
  }

  const MerkleTree& tree_;
  std::vector<std::uint64_t> offsets_;  // of each level in the tree, the lowest level first
};

}  // namespace

Result<Bytes> merkle_root(const MerkleTree& tree) { return Builder(tree).root(); }

std::uint64_t merkle_tree_bytes(std::uint64_t size) {
  std::uint64_t total = 0;
  for (const std::uint64_t level : level_sizes(size)) total += level;
  return total;
}

}  // namespace touchmark::package::signature
