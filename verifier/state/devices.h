// The devices that were seen, and those that operators have forced to pass or to fail.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "verifier/policy/policy.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/device_queue.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

enum class DeviceError {
  kBadDevice,  // not a device id; to force one, "latest" is none
  kNoDevice,   // no such device was seen, or, for "latest", none
  kTooMany,    // more forced devices than the service keeps
};
std::string_view error_id(DeviceError error);

inline constexpr std::size_t kMaxForcedDevices = 10'000;

struct Device {
  model::DeviceRecord record;  // of a device that was never seen, its id alone
  bool seen = true;
  std::optional<model::ForcedDevice> forced{};

  policy::Force force() const;
};

// Thread-safe. Fails with DeviceError or StoreError, and has then changed nothing.
class Devices {
 public:
  // `store` must outlive this.
  explicit Devices(AuditedStore& store);
  // Reads what the store knows.
  Result<void> load();

  // For the hot path: neither waits for a disk.
  policy::Force forced(const std::string& device_id) const;
  void saw(model::DeviceRecord record) { seen_.add(std::move(record)); }
  // Writes what was seen. What cannot be written is dropped, which is harmless: a device is
  // recorded again at its next attestation.
  Result<void> flush();

  // The last seen first, `limit` of them. Then every other one that is forced, whether it was ever
  // seen or not: what an operator said of a device is never out of sight.
  Result<std::vector<Device>> list(std::size_t limit);
  // `name`: a device id, or "latest" for the device seen last. Finds what is forced and was never
  // seen, too.
  Result<Device> find(const std::string& name);
  // Those that passed since then, the last second's too.
  Result<model::DeviceCount> count(UnixTime since, std::int64_t config_version);
  struct Forced {
    std::string device_id;
    policy::Force force = policy::Force::kNone;
  };
  // Force::kNone ends what was said before. Takes an id alone: anybody can be the device seen last
  // when an operator's request arrives.
  Result<Forced> force(const std::string& device_id, policy::Force force, const std::string& actor);

 private:
  using ForcedDevices = std::map<std::string, model::ForcedDevice>;

  Device known(model::DeviceRecord record) const;

  AuditedStore& store_;
  DeviceQueue seen_;
  Snapshot<ForcedDevices> forced_;
};

}  // namespace touchmark::verifier::state
