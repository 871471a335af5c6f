// The appraisals that are kept, and what a proposed policy makes of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "verifier/policy/policy.h"
#include "verifier/state/audited_store.h"

namespace touchmark::verifier::state {

// What was judged, with the verdict. The address is left out when it is written.
struct RecordedAppraisal {
  UnixTime time{};
  policy::Facts facts;
  std::vector<protocol::Finding> findings;  // the appraisal's own, before any policy
  policy::Force force = policy::Force::kNone;
  bool passed = false;
  std::vector<protocol::FindingId> rejecting;
};

model::AppraisalRecord to_record(const RecordedAppraisal& appraisal);
// kCorrupt when it is not what to_record() makes.
Result<RecordedAppraisal> from_record(const model::AppraisalRecord& record);

// What another policy makes of recorded appraisals.
struct Replay {
  struct Changes {
    std::size_t appraisals = 0;
    std::size_t devices = 0;
  };
  // The newest changed verdict of one device.
  struct ChangedDevice {
    std::string device_id;
    std::string package_name;
    std::string platform;
    std::string model;
    UnixTime time{};
    bool passes = false;
    std::vector<std::string> reasons;  // finding ids: what fails now, or failed
  };
  std::size_t appraisals = 0;  // that were judged again
  Changes newly_failing;
  Changes newly_passing;
  std::map<std::string, std::size_t> reasons;  // finding id -> appraisals
  std::vector<ChangedDevice> devices;
  std::size_t devices_left_off = 0;
};

// `records`: the newest first. kCorrupt for one that cannot be read.
Result<Replay> replay(const policy::Policy& policy,
                      const std::vector<model::AppraisalRecord>& records);

// Thread-safe. Over kCapacity appraisals between two writes, further ones are not recorded. Fails
// with StoreError.
class AppraisalJournal {
 public:
  static constexpr std::size_t kCapacity = 4096;

  // `store` must outlive this.
  explicit AppraisalJournal(AuditedStore& store) : store_(store) {}

  // For the hot path: does not wait for a disk.
  void add(RecordedAppraisal appraisal);
  // Writes what was added. What cannot be written is dropped.
  Result<void> flush();

  // The newest of one device.
  Result<std::optional<RecordedAppraisal>> newest(const std::string& device_id);
  // Judges the `last` recorded ones by `policy`.
  Result<Replay> replay(const policy::Policy& policy, std::size_t last);

 private:
  AuditedStore& store_;
  Mutex mutex_;
  std::vector<RecordedAppraisal> pending_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::state
