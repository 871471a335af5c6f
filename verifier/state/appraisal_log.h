// Appraisals on their way to the store, and what a proposed policy makes of those that are there.
#pragma once

#include <mutex>
#include <vector>

#include "base/json.h"
#include "verifier/policy/policy.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::state {

// What was judged, with the verdict. The address is left out when it is recorded.
struct Appraisal {
  UnixTime time{};
  policy::Facts facts;
  std::vector<protocol::Finding> findings;  // the appraisal's own, before any policy
  policy::Force force = policy::Force::kNone;
  bool passed = false;
  std::vector<protocol::FindingId> rejecting;
};

store::AppraisalRecord to_record(const Appraisal& appraisal);
// kCorrupt when it is not what to_record() makes.
Result<Appraisal> from_record(const store::AppraisalRecord& record);

// As PolicyAdmin::replay() gives it. `records`: the newest first.
Result<Json> replay(const policy::Policy& policy,
                    const std::vector<store::AppraisalRecord>& records);

// Thread-safe. Attestations put appraisals here, a timer writes them; over kCapacity between two
// writes, further ones are not recorded.
class AppraisalQueue {
 public:
  static constexpr std::size_t kCapacity = 4096;

  void add(Appraisal appraisal);
  std::vector<store::AppraisalRecord> take();

 private:
  std::mutex mutex_;
  std::vector<Appraisal> pending_;
};

}  // namespace touchmark::verifier::state
