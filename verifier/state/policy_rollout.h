// The policy in force and its candidate: read by every attestation as one snapshot, changed by
// operators.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verifier/policy/document.h"
#include "verifier/policy/policy.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

enum class PolicyError {
  kConflict,    // somebody else changed the policy since the caller read it
  kNoCanary,    // no candidate is being rolled out
  kBadPercent,  // not 1 to 99
};
std::string_view error_id(PolicyError error);

// One document, and who put it there.
struct PolicyVersion {
  std::string text;
  std::string actor;
  UnixTime time{};
  policy::Policy policy;
  std::string hash;  // hex of the first 8 bytes of the text's SHA-256
};

// What a candidate changed so far: in this process, since the canary began or since it started.
struct CanaryCounts {
  std::atomic<std::uint64_t> appraisals{0};
  std::atomic<std::uint64_t> newly_failing{0};
  std::atomic<std::uint64_t> newly_passing{0};
};

// A candidate that holds for a share of the devices.
struct Canary {
  PolicyVersion version;
  unsigned percent = 0;  // 1 to 99
  std::shared_ptr<CanaryCounts> counts = std::make_shared<CanaryCounts>();
};

struct PolicyState {
  std::int64_t revision = 0;  // each change makes a new one
  PolicyVersion current;
  std::optional<Canary> canary;
};

// Thread-safe. A document that is not valid fails with policy::DocumentError::kInvalid; then, and
// at every other error (PolicyError, StoreError), what was in force stays in force.
class PolicyRollout {
 public:
  // `overlay` changes every policy that comes into force: what the command line of the service
  // allows. `store` must outlive this.
  PolicyRollout(AuditedStore& store, std::function<void(policy::Policy&)> overlay);
  // Reads what the store knows; the default document when it knows none. (The store gave one to a
  // database that was in use under an older default.) One that cannot be read fails with kCorrupt:
  // what the operator asked for is not replaced by something else.
  Result<void> load();
  // The way out of that: the default document in place of whatever is stored, noted as `actor`'s.
  Result<void> reset(const std::string& actor);

  // Judges one appraisal by the policy that holds for its device.
  policy::Verdict judge(const policy::Facts& facts, const std::vector<protocol::Finding>& findings,
                        policy::Force force, UnixTime now) const;

  // What is in force; the counts of its canary go on rising.
  std::shared_ptr<const PolicyState> show() const { return state_.get(); }
  // The policy that the document would be if it were in force.
  Result<policy::Policy> compile(const std::string& text) const;

  struct Changed {
    std::int64_t revision = 0;
    std::vector<policy::Problem> warnings;  // about a valid document
  };
  // `revision` is that of the policy that the caller has seen. With `canary` (1 to 99) the document
  // becomes the candidate for that share of the devices; without it, it is in force for all, and a
  // candidate there was is gone.
  Result<Changed> put(const std::string& text, std::int64_t revision,
                      std::optional<unsigned> canary, const std::string& actor);
  enum class CanaryEnd { kPromote, kAbort };
  // The new revision.
  Result<std::int64_t> end_canary(CanaryEnd how, std::int64_t revision, const std::string& actor);

 private:
  Result<PolicyVersion> make_version(const std::string& text, const std::string& actor,
                                     UnixTime time, policy::DocumentAge age) const;
  Result<PolicyState> read_state() const;
  Result<PolicyVersion> read_version(const Json& json) const;
  // Has `alter` (PolicyState& -> Result<void>) change the state at `revision` and puts the next
  // revision into force, which it gives.
  template <class Alter>
  Result<std::int64_t> change(std::int64_t revision, const std::string& actor,
                              const std::string& action, const std::string& detail, Alter alter);

  AuditedStore& store_;
  const std::function<void(policy::Policy&)> overlay_;
  Snapshot<PolicyState> state_;
};

// Whether the candidate with this hash holds for a device at `percent`: the same devices always,
// and more of them, never others, when the share grows. Which devices those are differs from one
// candidate to the next.
bool in_canary(const std::string& hash, const std::string& device_id, unsigned percent);

}  // namespace touchmark::verifier::state
