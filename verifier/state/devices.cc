#include "verifier/state/devices.h"

#include "base/encoding.h"

namespace touchmark::verifier::state {
namespace {

using policy::Force;

constexpr std::size_t kDeviceIdBytes = 16;
constexpr std::string_view kLatest = "latest";

}  // namespace

std::string_view error_id(DeviceError error) {
  using enum DeviceError;
  static constexpr auto kIds = error_table<DeviceError>({
      {kBadDevice, "policy.bad-device"},
      {kNoDevice, "policy.no-device"},
      {kTooMany, "policy.too-many-forced"},
  });
  return kIds[error];
}

Devices::Devices(AuditedStore& store) : store_(store), forced_(std::make_shared<ForcedDevices>()) {}

Result<void> Devices::load() {
  auto devices = store_.read().forced_devices();
  if (!devices) return pass(devices);
  ForcedDevices forced;
  for (const model::ForcedDevice& device : *devices) {
    forced.emplace(device.device_id, device.passes ? Force::kPass : Force::kFail);
  }
  forced_.set(std::make_shared<ForcedDevices>(std::move(forced)));
  return {};
}

Force Devices::forced(const std::string& device_id) const {
  const auto forced = forced_.get();
  const auto found = forced->find(device_id);
  return found == forced->end() ? Force::kNone : found->second;
}

Result<void> Devices::flush() {
  const auto records = seen_.take();
  if (records.empty()) return {};
  return store_.remember(
      [&](store::Transaction& transaction) { return transaction.put_devices(records); });
}

Result<std::string> Devices::resolve(const std::string& name) {
  if (name != kLatest) {
    const auto bytes = base64_decode(name);
    if (bytes && bytes->size() == kDeviceIdBytes) return name;
    return fail(DeviceError::kBadDevice, "\"" + name.substr(0, 64) +
                                             "\" is not a device id: the base64 of 16 bytes, or "
                                             "latest");
  }
  if (auto seen = seen_.latest(); !seen.empty()) return seen;
  auto stored = store_.read().devices(1);
  if (!stored) return pass(stored);
  if (stored->empty()) return fail(DeviceError::kNoDevice, "no device was seen yet");
  return stored->front().device_id;
}

Result<std::vector<Device>> Devices::list(std::size_t limit) {
  if (auto ok = flush(); !ok) return pass(ok);
  auto records = store_.read().devices(limit);
  if (!records) return pass(records);
  std::vector<Device> out;
  for (model::DeviceRecord& record : *records) {
    const Force force = forced(record.device_id);
    out.push_back({std::move(record), force});
  }
  return out;
}

Result<Device> Devices::find(const std::string& name) {
  const auto device_id = resolve(name);
  if (!device_id) return pass(device_id);
  if (auto ok = flush(); !ok) return pass(ok);
  auto record = store_.read().device(*device_id);
  if (!record) return pass(record);
  if (!*record) {
    return fail(DeviceError::kNoDevice, "device " + *device_id + " was never seen");
  }
  return Device{std::move(**record), forced(*device_id)};
}

Result<Devices::Forced> Devices::force(const std::string& name, Force force,
                                       const std::string& actor) {
  const auto device_id = resolve(name);
  if (!device_id) return pass(device_id);
  ForcedDevices next;
  auto done = store_.change(
      actor, "device.force", *device_id + " " + std::string(policy::to_string(force)),
      [&](store::Transaction& transaction) -> Result<void> {
        next = *forced_.get();
        if (force == Force::kNone) {
          next.erase(*device_id);
          return transaction.remove_forced_device(*device_id);
        }
        if (next.size() >= kMaxForcedDevices && !next.contains(*device_id)) {
          return fail(DeviceError::kTooMany, "more than " + std::to_string(kMaxForcedDevices) +
                                                 " devices are forced; clear some first");
        }
        next.insert_or_assign(*device_id, force);
        return transaction.put_forced_device(
            {*device_id, force == Force::kPass, actor, store_.now()});
      },
      [&] { forced_.set(std::make_shared<ForcedDevices>(std::move(next))); });
  if (!done) return pass(done);
  return Forced{*device_id, force};
}

}  // namespace touchmark::verifier::state
