#include "verifier/state/device_queue.h"

#include <utility>

namespace touchmark::verifier::state {

void DeviceQueue::add(model::DeviceRecord record) {
  const MutexLock lock(mutex_);
  latest_ = record;
  if (pending_.size() >= kCapacity && !pending_.contains(record.device_id)) return;
  std::string device_id = record.device_id;
  pending_.insert_or_assign(std::move(device_id), std::move(record));
}

std::optional<model::DeviceRecord> DeviceQueue::latest() const {
  const MutexLock lock(mutex_);
  return latest_;
}

std::vector<model::DeviceRecord> DeviceQueue::take() {
  std::unordered_map<std::string, model::DeviceRecord> taken;
  {
    const MutexLock lock(mutex_);
    taken.swap(pending_);
  }
  std::vector<model::DeviceRecord> out;
  out.reserve(taken.size());
  for (auto& [device_id, record] : taken) out.push_back(std::move(record));
  return out;
}

}  // namespace touchmark::verifier::state
