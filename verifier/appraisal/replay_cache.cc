#include "verifier/appraisal/replay_cache.h"

#include <algorithm>
#include <cstring>

namespace touchmark::verifier::appraisal {

// The keys are random bytes that this service drew, so any eight of them are a hash.
std::size_t ReplayCache::KeyHash::operator()(const Key& key) const {
  std::size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

Spending ReplayCache::spend(ByteView nonce, UnixTime expires, UnixTime now) {
  Key key{};
  std::ranges::copy(nonce.first(std::min(nonce.size(), key.size())), key.begin());
  const MutexLock lock(mutex_);
  forget_expired(now);
  if (spent_.contains(key)) return Spending::kAgain;
  if (spent_.size() >= capacity_) return Spending::kFull;
  spent_.insert(key);
  by_expiry_[expires].push_back(key);
  return Spending::kFirst;
}

void ReplayCache::forget_expired(UnixTime now) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    for (const Key& key : by_expiry_.begin()->second) spent_.erase(key);
    by_expiry_.erase(by_expiry_.begin());
  }
}

std::size_t ReplayCache::size() const {
  const MutexLock lock(mutex_);
  return spent_.size();
}

}  // namespace touchmark::verifier::appraisal
