// Device records on their way to the store: attestations put them here, a timer writes them.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "verifier/model/device.h"

namespace touchmark::verifier::state {

// Thread-safe. Keeps the last record of each device; over kCapacity devices between two writes, new
// ones are not recorded.
class DeviceQueue {
 public:
  static constexpr std::size_t kCapacity = 65'536;

  void add(model::DeviceRecord record);
  std::vector<model::DeviceRecord> take();
  // The record that was added last; nullopt when none was since the start.
  std::optional<model::DeviceRecord> latest() const;

 private:
  mutable Mutex mutex_;
  std::optional<model::DeviceRecord> latest_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, model::DeviceRecord> pending_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::state
