// The content of registered code, for range proofs: as much of it in memory as there is room for,
// so that an attestation asks no database. (Eight ranges of four KiB cost a statement and the
// reading of 64 KiB each, which was a fifth of an attestation.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/appraisal/reference_values.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::state {

// Thread-safe. Fails with StoreError.
class CodeCache {
 public:
  // `capacity`: bytes of content, of which the longest unused goes first. `store` must outlive
  // this.
  CodeCache(store::Reader& store, std::size_t capacity) : store_(store), capacity_(capacity) {}

  // As appraisal::RangeReader, which keeps no copy. What is not in memory is read, and then is. A
  // content has a digest for a name, so it never changes; what is no longer registered goes with
  // time.
  Result<void> read(const Sha256Digest& part, std::uint64_t offset, std::uint64_t length,
                    const appraisal::ByteSink& sink);

  // Reads what is registered, the newest first, as far as there is room; some of it, so that nobody
  // waits long, and the rest when this is called again. Without it the first attestations of a
  // release would take longer than others, and longer than those of an app that is not registered.
  Result<void> fill(const appraisal::ReferenceValues::Shared& references) EXCLUDES(fill_mutex_);

  std::size_t bytes() const;  // of content, in memory

 private:
  using Content = std::shared_ptr<const Bytes>;
  struct Key {
    Sha256Digest part{};
    std::uint64_t number = 0;  // of the piece
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return appraisal::DigestHash()(key.part) ^ (key.number * 0x9e3779b97f4a7c15U);
    }
  };
  struct Piece {
    Key key;
    Content content;
  };

  // nullptr where the part has no such piece.
  Result<Content> piece(const Key& key);
  // Reads the pieces of a part that are not in memory; the bytes that it read.
  Result<std::size_t> fill_part(const package::Part& part);
  Content find(const Key& key);
  void keep(const Key& key, const Content& content);

  store::Reader& store_;
  const std::size_t capacity_;

  mutable Mutex mutex_;
  std::list<Piece> pieces_ GUARDED_BY(mutex_);  // the last used first
  std::unordered_map<Key, std::list<Piece>::iterator, KeyHash> index_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;

  // How far fill() is.
  struct Filling {
    appraisal::ReferenceValues::Shared references;
    std::size_t done = 0;  // of its registrations
    std::unordered_set<Sha256Digest, appraisal::DigestHash> parts;
    std::uint64_t bytes = 0;  // of these parts
  };
  Mutex fill_mutex_;
  Filling filling_ GUARDED_BY(fill_mutex_);
};

}  // namespace touchmark::verifier::state
