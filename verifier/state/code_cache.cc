#include "verifier/state/code_cache.h"

#include <algorithm>

namespace touchmark::verifier::state {
namespace {

// As the store has it in one row, so that a piece costs one row to read.
constexpr std::uint64_t kPieceBytes = 64 * 1024;
constexpr std::size_t kFilledAtOnce = 64 << 20;  // bytes that one call of fill() reads

}  // namespace

Result<void> CodeCache::read(const Sha256Digest& part, std::uint64_t offset, std::uint64_t length,
                             const appraisal::ByteSink& sink) {
  for (std::uint64_t number = offset / kPieceBytes; length > 0; ++number) {
    auto content = piece({part, number});
    if (!content) return pass(content);
    if (*content == nullptr) break;
    const ByteView bytes(**content);
    const std::uint64_t from = offset - number * kPieceBytes;
    if (from >= bytes.size()) break;
    const std::uint64_t take = std::min<std::uint64_t>(length, bytes.size() - from);
    sink(bytes.subspan(from, take));
    offset += take;
    length -= take;
    // Only the last piece of a part is shorter: a range that goes beyond it asks the store nothing.
    if (bytes.size() < kPieceBytes) break;
  }
  return {};
}

Result<CodeCache::Content> CodeCache::piece(const Key& key) {
  if (auto found = find(key)) return found;
  // Not under the lock: others read meanwhile, at worst the same.
  auto bytes = store_.part_range(key.part, key.number * kPieceBytes, kPieceBytes);
  if (!bytes) return pass(bytes);
  if (bytes->empty()) return Content();
  const auto content = std::make_shared<const Bytes>(std::move(*bytes));
  keep(key, content);
  return content;
}

CodeCache::Content CodeCache::find(const Key& key) {
  const MutexLock lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  pieces_.splice(pieces_.begin(), pieces_, found->second);
  return found->second->content;
}

void CodeCache::keep(const Key& key, const Content& content) {
  if (content->size() > capacity_) return;
  const MutexLock lock(mutex_);
  if (index_.contains(key)) return;
  bytes_ += content->size();
  while (bytes_ > capacity_) {
    bytes_ -= pieces_.back().content->size();
    index_.erase(pieces_.back().key);
    pieces_.pop_back();
  }
  pieces_.push_front({key, content});
  index_.emplace(key, pieces_.begin());
}

Result<std::size_t> CodeCache::fill_part(const package::Part& part) {
  std::size_t read = 0;
  for (std::uint64_t at = 0; at < part.size; at += kPieceBytes) {
    const Key key{part.sha256, at / kPieceBytes};
    if (find(key) != nullptr) continue;
    auto content = piece(key);
    if (!content) return pass(content);
    if (*content != nullptr) read += (*content)->size();
  }
  return read;
}

Result<void> CodeCache::fill(const appraisal::ReferenceValues::Shared& references) {
  const MutexLock lock(fill_mutex_);
  if (filling_.references != references) {
    filling_ = Filling();
    filling_.references = references;
  }
  const auto& newest_first = references->newest_first();
  std::size_t read = 0;
  for (; filling_.done < newest_first.size() && read < kFilledAtOnce; ++filling_.done) {
    for (const package::Part& part : newest_first[filling_.done]->code) {
      if (!filling_.parts.insert(part.sha256).second) continue;
      filling_.bytes += part.size;
      if (filling_.bytes > capacity_) {
        // What is older comes when it is asked for.
        filling_.done = newest_first.size();
        return {};
      }
      auto more = fill_part(part);
      if (!more) return pass(more);
      read += *more;
    }
  }
  return {};
}

std::size_t CodeCache::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace touchmark::verifier::state
