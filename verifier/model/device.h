// What the service remembers of devices and of their appraisals. On the wire a device id is `did`.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace touchmark::verifier::model {

struct DeviceRecord {
  std::string device_id;
  UnixTime last_seen{};
  bool passed = false;
  std::string arc;
  std::string package_name;
  std::string address{};            // that it was seen at last; in memory only
  std::int64_t config_version = 0;  // of the signed configuration that its app had then
};

// Of those that passed.
struct DeviceCount {
  std::int64_t seen = 0;
  std::int64_t up_to_date = 0;  // with a configuration at least as new as was asked for
};

// What an operator has said of one device.
struct ForcedDevice {
  std::string device_id;
  bool passes = false;  // else it fails
  std::string actor;
  UnixTime time{};
};

// One appraisal as it was judged. Holds no token, no address and nothing of the app's user.
struct AppraisalRecord {
  UnixTime time{};
  std::string device_id;
  bool passed = false;
  std::string content;      // JSON, as verifier/state/appraisal_journal.h makes it
  std::int64_t number = 0;  // given by the store, in the order in which they came
};
// How many the store keeps; the oldest go first.
inline constexpr std::int64_t kKeptAppraisals = 10'000;

}  // namespace touchmark::verifier::model
