// The hash tree of fs-verity: SHA-256 of pages of 4096 bytes, whose digests fill the pages of the
// next level up. https://docs.kernel.org/filesystems/fsverity.html#merkle-tree
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::signature {

inline constexpr std::size_t kMerklePageBytes = 4096;

struct MerkleTree {
  std::uint64_t size = 0;  // of the hashed bytes
  // Fills `out` with the bytes at `offset`; called from several threads.
  std::function<Result<void>(std::uint64_t offset, std::span<std::byte> out)> read;
  ByteView salt;  // before each page
  unsigned threads = 1;
  // Sees the pages of the tree as they are made, with their offset in the tree as fs-verity lays it
  // out (top level first). Called from several threads; may be empty.
  std::function<Result<void>(std::uint64_t offset, ByteView pages)> visit;
};

// The digest of the top page. Memory: 64 bytes per MiB hashed.
Result<Bytes> merkle_root(const MerkleTree& tree);
// How long the tree is that `visit` sees.
std::uint64_t merkle_tree_bytes(std::uint64_t size);

}  // namespace touchmark::package::signature
