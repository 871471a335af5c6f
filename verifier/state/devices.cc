#include "verifier/state/devices.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"

namespace touchmark::verifier::state {
namespace {

using policy::Force;

constexpr std::size_t kDeviceIdBytes = 16;
constexpr std::string_view kLatest = "latest";
constexpr std::size_t kDevicesAtOnce = 4096;  // records in one transaction

bool is_device_id(const std::string& text) {
  const auto bytes = base64_decode(text);
  return bytes && bytes->size() == kDeviceIdBytes;
}

std::string quoted(const std::string& text) { return "\"" + text.substr(0, 64) + "\""; }

Force force_of(const model::ForcedDevice& device) {
  return device.passes ? Force::kPass : Force::kFail;
}

Device never_seen(const model::ForcedDevice& forced) {
  model::DeviceRecord record;
  record.device_id = forced.device_id;
  return {std::move(record), false, forced};
}

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

Force Device::force() const { return forced ? force_of(*forced) : Force::kNone; }

Devices::Devices(AuditedStore& store) : store_(store), forced_(std::make_shared<ForcedDevices>()) {}

Result<void> Devices::load() {
  auto devices = store_.read().forced_devices();
  if (!devices) return pass(devices);
  ForcedDevices forced;
  for (model::ForcedDevice& device : *devices) {
    std::string device_id = device.device_id;
    forced.emplace(std::move(device_id), std::move(device));
  }
  forced_.set(std::make_shared<ForcedDevices>(std::move(forced)));
  return {};
}

Force Devices::forced(const std::string& device_id) const {
  const auto forced = forced_.get();
  const auto found = forced->find(device_id);
  return found == forced->end() ? Force::kNone : force_of(found->second);
}

Device Devices::known(model::DeviceRecord record) const {
  const auto forced = forced_.get();
  const auto found = forced->find(record.device_id);
  return {std::move(record), true,
          found == forced->end() ? std::nullopt : std::optional(found->second)};
}

Result<void> Devices::flush() {
  auto records = seen_.take();
  // In the order of the table: neighbours among a million share its pages.
  std::ranges::sort(records, {}, &model::DeviceRecord::device_id);
  // In short transactions: an App Attest counter may wait for its turn.
  for (std::size_t from = 0; from < records.size(); from += kDevicesAtOnce) {
    const std::vector<model::DeviceRecord> some(
        records.begin() + static_cast<std::ptrdiff_t>(from),
        records.begin() +
            static_cast<std::ptrdiff_t>(std::min(from + kDevicesAtOnce, records.size())));
    auto ok = store_.remember(
        [&](store::Transaction& transaction) { return transaction.put_devices(some); });
    if (!ok) return ok;
  }
  return {};
}

Result<std::vector<Device>> Devices::list(std::size_t limit) {
  if (auto ok = flush(); !ok) return pass(ok);
  auto records = store_.read().devices(limit);
  if (!records) return pass(records);
  std::vector<Device> out;
  std::set<std::string> listed;
  for (model::DeviceRecord& record : *records) {
    listed.insert(record.device_id);
    out.push_back(known(std::move(record)));
  }
  const auto forced = forced_.get();
  for (const auto& [device_id, force] : *forced) {
    if (listed.contains(device_id)) continue;
    auto record = store_.read().device(device_id);
    if (!record) return pass(record);
    out.push_back(*record ? Device{std::move(**record), true, force} : never_seen(force));
  }
  return out;
}

Result<model::DeviceCount> Devices::count(UnixTime since, std::int64_t config_version) {
  if (auto ok = flush(); !ok) return pass(ok);
  return store_.read().count_devices(since, config_version);
}

Result<Device> Devices::find(const std::string& name) {
  const auto latest = seen_.latest();
  if (name == kLatest && latest) return known(*latest);
  if (auto ok = flush(); !ok) return pass(ok);
  if (name == kLatest) {
    auto newest = store_.read().devices(1);
    if (!newest) return pass(newest);
    if (newest->empty()) return fail(DeviceError::kNoDevice, "no device was seen yet");
    return known(std::move(newest->front()));
  }
  if (!is_device_id(name)) {
    return fail(DeviceError::kBadDevice, quoted(name) +
                                             " is not a device id: the base64 of 16 bytes, or "
                                             "latest");
  }
  if (latest && latest->device_id == name) return known(*latest);
  auto record = store_.read().device(name);
  if (!record) return pass(record);
  if (*record) return known(std::move(**record));
  const auto forced = forced_.get();
  const auto found = forced->find(name);
  if (found != forced->end()) return never_seen(found->second);
  return fail(DeviceError::kNoDevice, "device " + name + " was never seen");
}

Result<Devices::Forced> Devices::force(const std::string& device_id, Force force,
                                       const std::string& actor) {
  if (!is_device_id(device_id)) {
    return fail(DeviceError::kBadDevice,
                quoted(device_id) +
                    " is not the id of one device: the base64 of 16 bytes. Anybody can be the "
                    "device seen last; look at it first, and give its id");
  }
  ForcedDevices next;
  auto done = store_.change(
      actor, "device.force", device_id + " " + std::string(policy::to_string(force)),
      [&](store::Transaction& transaction) -> Result<void> {
        next = *forced_.get();
        if (force == Force::kNone) {
          next.erase(device_id);
          return transaction.remove_forced_device(device_id);
        }
        if (next.size() >= kMaxForcedDevices && !next.contains(device_id)) {
          return fail(DeviceError::kTooMany, "more than " + std::to_string(kMaxForcedDevices) +
                                                 " devices are forced; clear some first");
        }
        const model::ForcedDevice forced{device_id, force == Force::kPass, actor, store_.now()};
        next.insert_or_assign(device_id, forced);
        return transaction.put_forced_device(forced);
      },
      [&] { forced_.set(std::make_shared<ForcedDevices>(std::move(next))); });
  if (!done) return pass(done);
  return Forced{device_id, force};
}

}  // namespace touchmark::verifier::state
