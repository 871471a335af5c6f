// Digests of an APK's content as the signature schemes v2 and newer define them: over everything
// but the signing block, with the end record's central directory offset set to the block's start.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/zip/zip.h"

namespace touchmark::package::signature {

enum class ContentDigest {
  kChunkedSha256,
  kVeritySha256,  // root of an fs-verity tree, then the number of bytes (uint64, little-endian)
  kChunkedSha512,
};

// Where the digested parts lie in the file: [0, block_offset), then the central directory and
// whatever follows it up to the end record, then the end record itself.
struct ContentLayout {
  std::uint64_t block_offset = 0;
  std::uint64_t central_directory_offset = 0;
  std::uint64_t end_record_offset = 0;
  Bytes end_record;
};

// Computes each digest once, with the machine's cores. Memory: a small buffer per thread and 64
// bytes per MiB of package. Not thread-safe.
class ContentDigester {
 public:
  // `source` must outlive the digester. `threads` 0: one per core.
  ContentDigester(const Source& source, ContentLayout layout, unsigned threads = 0);

  // Makes sure that `get` has all of these; those not known yet are computed in one pass.
  Result<void> compute(const std::set<ContentDigest>& wanted);
  const Bytes& get(ContentDigest digest) const { return known_.at(digest); }
  const ContentLayout& layout() const { return layout_; }

 private:
  const Source& source_;
  ContentLayout layout_;
  unsigned threads_;
  std::map<ContentDigest, Bytes> known_;
};

}  // namespace touchmark::package::signature
