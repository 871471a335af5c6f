// The appraisals that are kept, and what a proposed policy makes of them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "verifier/policy/policy.h"
#include "verifier/state/audited_store.h"

namespace touchmark::verifier::state {

// What was judged, with the verdict.
struct RecordedAppraisal {
  UnixTime time{};
  policy::Facts facts;
  std::vector<protocol::Finding> findings;  // the appraisal's own, before any policy
  policy::Force force = policy::Force::kNone;
  bool passed = false;
  std::vector<protocol::FindingId> rejecting;
};

// The most that one record holds of JSON, in bytes, whatever the app said.
inline constexpr std::size_t kMaxRecordBytes = 4096;

// The address is left out. Of a record that would be too large the findings lose their details
// first, and then the facts that are the app's own words are cut.
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

// Judges records, which come one after the other, the newest first, by a policy.
class Replayer {
 public:
  // `policy` must outlive this.
  explicit Replayer(const policy::Policy& policy) : policy_(policy) {}
  // kCorrupt for a record that cannot be read.
  Result<void> add(const model::AppraisalRecord& record);
  Replay end();

 private:
  const policy::Policy& policy_;
  Replay out_;
  std::set<std::string> failing_;
  std::set<std::string> passing_;
};

// Thread-safe. Over kCapacity appraisals between two writes, further ones are not recorded; of
// those that answer no good challenge, which cost a client nothing, over kRefusedCapacity. Fails
// with StoreError. However fast attestations come, the newest 10,000 are those of most of a minute:
// were each written, a busy service would keep two seconds, and pay for it at each attestation.
class AppraisalJournal {
 public:
  static constexpr std::size_t kCapacity = 1024;
  static constexpr std::size_t kRefusedCapacity = 256;

  // `store` must outlive this.
  explicit AppraisalJournal(AuditedStore& store) : store_(store) {}

  // For the hot path: neither waits for a disk. has_room(): whether one with these findings would
  // be recorded now, so that what is not is not gathered either.
  bool has_room(const std::vector<protocol::Finding>& findings) const;
  void add(RecordedAppraisal appraisal);
  // Writes what was added. What cannot be written is dropped.
  Result<void> flush();

  // The newest of one device.
  Result<std::optional<RecordedAppraisal>> newest(const std::string& device_id);
  struct Numbered {
    std::int64_t number = 0;  // ascending; a gap is one that was removed, or cannot be read
    RecordedAppraisal appraisal;
  };
  // Those with a number above `after`, the oldest first; of more than `limit` the newest.
  Result<std::vector<Numbered>> since(std::int64_t after, std::size_t limit);
  // Judges the `last` recorded ones by `policy`, a page of them in memory at a time.
  Result<Replay> replay(const policy::Policy& policy, std::size_t last);

 private:
  bool has_room(bool refused) const REQUIRES(mutex_) {
    return pending_.size() < kCapacity && (!refused || refused_ < kRefusedCapacity);
  }

  AuditedStore& store_;
  mutable Mutex mutex_;
  std::vector<RecordedAppraisal> pending_ GUARDED_BY(mutex_);
  std::size_t refused_ GUARDED_BY(mutex_) = 0;  // of those pending
};

}  // namespace touchmark::verifier::state
