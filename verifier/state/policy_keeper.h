// The policy in force, its candidate, and the devices that operators have forced: read by every
// attestation as one snapshot, changed by operators.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "verifier/policy/policy.h"
#include "verifier/state/appraisal_log.h"
#include "verifier/state/device_queue.h"
#include "verifier/state/policy_admin.h"
#include "verifier/state/snapshot.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::state {

// One document, and who put it there.
struct PolicyVersion {
  std::string text;
  std::string actor;
  UnixTime time{};
  policy::Policy policy;
  std::string hash;  // hex of the first 8 bytes of the text's SHA-256
};

// Thread-safe.
class PolicyKeeper final : public PolicyAdmin {
 public:
  // Runs a change of the store together with its entry in the audit log.
  using Audited = std::function<Result<void>(const std::string& actor, const std::string& action,
                                             const std::string& detail,
                                             const std::function<Result<void>()>& change)>;

  // `overlay` changes every policy that comes into force: what the command line of the service
  // allows. `devices` knows the device seen last.
  PolicyKeeper(store::Store& store, const Clock& clock, DeviceQueue& devices, Audited audited,
               std::function<void(policy::Policy&)> overlay);

  // Reads what the store knows; the default document when it knows none.
  Result<void> load();

  // Judges one appraisal by the policy that holds for its device, and records it.
  policy::Verdict judge(const policy::Facts& facts, const std::vector<protocol::Finding>& findings,
                        UnixTime now);
  // Writes the recorded appraisals.
  Result<void> flush();

  Json show() override;
  Result<Json> put(const std::string& text, std::int64_t revision, std::optional<unsigned> canary,
                   const std::string& actor) override;
  Result<Json> end_canary(CanaryEnd how, std::int64_t revision, const std::string& actor) override;
  Result<Json> replay(const std::string& text, std::size_t last) override;
  Result<Json> devices(std::size_t limit) override;
  Result<Json> device(const std::string& did) override;
  Result<Json> force(const std::string& did, policy::Force force,
                     const std::string& actor) override;

 private:
  // What a candidate changed so far.
  struct CanaryCounts {
    std::atomic<std::uint64_t> appraisals{0};
    std::atomic<std::uint64_t> newly_failing{0};
    std::atomic<std::uint64_t> newly_passing{0};
  };
  struct Canary {
    PolicyVersion version;
    unsigned percent = 0;
    std::shared_ptr<CanaryCounts> counts = std::make_shared<CanaryCounts>();
  };
  struct State {
    std::int64_t revision = 0;
    PolicyVersion current;
    std::optional<Canary> canary;
  };
  using ForcedDevices = std::map<std::string, policy::Force>;

  Result<PolicyVersion> compile(const std::string& text, const std::string& actor,
                                UnixTime time) const;
  Result<State> read_state() const;
  Result<PolicyVersion> read_version(const Json& json) const;
  Result<void> check_revision(const State& state, std::int64_t revision) const;
  // Stores `next` as the revision after the present one and puts it into force.
  Result<void> change(State next, const std::string& actor, const std::string& action,
                      const std::string& detail);
  policy::Force force_of(const std::string& did) const;
  Result<std::string> resolve(const std::string& did);
  Json device_json(const store::DeviceRecord& record) const;

  static constexpr const char* kName = "policy";  // in the store

  store::Store& store_;
  const Clock& clock_;
  DeviceQueue& seen_;
  const Audited audited_;
  const std::function<void(policy::Policy&)> overlay_;
  AppraisalQueue appraisals_;

  std::mutex changes_;  // held while a change goes to the store and into a snapshot
  Snapshot<State> state_;
  Snapshot<ForcedDevices> forced_;
};

// Whether the candidate with this hash holds for a device at `percent`: the same devices always,
// and more of them, never others, when the share grows. Which devices those are differs from one
// candidate to the next.
bool in_canary(const std::string& hash, const std::string& did, unsigned percent);

}  // namespace touchmark::verifier::state
