#include "verifier/state/device_queue.h"

#include <utility>

namespace touchmark::verifier::state {

void DeviceQueue::add(store::DeviceRecord record) {
  const std::lock_guard lock(mutex_);
  latest_ = record.did;
  if (pending_.size() >= kCapacity && !pending_.contains(record.did)) return;
  std::string did = record.did;
  pending_.insert_or_assign(std::move(did), std::move(record));
}

std::string DeviceQueue::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

std::vector<store::DeviceRecord> DeviceQueue::take() {
  std::unordered_map<std::string, store::DeviceRecord> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(pending_);
  }
  std::vector<store::DeviceRecord> out;
  out.reserve(taken.size());
  for (auto& [did, record] : taken) out.push_back(std::move(record));
  return out;
}

}  // namespace touchmark::verifier::state
