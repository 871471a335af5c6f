// Device records on their way to the store: attestations put them here, a timer writes them.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "verifier/store/store.h"

namespace touchmark::verifier::state {

// Thread-safe. Keeps the last record of each device; over kCapacity devices between two writes, new
// ones are not recorded.
class DeviceQueue {
 public:
  static constexpr std::size_t kCapacity = 65'536;

  void add(store::DeviceRecord record);
  std::vector<store::DeviceRecord> take();
  // The device that was added last; empty when none was since the start.
  std::string latest() const;

 private:
  mutable std::mutex mutex_;
  std::string latest_;
  std::unordered_map<std::string, store::DeviceRecord> pending_;
};

}  // namespace touchmark::verifier::state
