// What operators do with the appraisal policy and with single devices.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "verifier/policy/policy.h"

namespace touchmark::verifier::state {

enum class PolicyError {
  kConflict,    // somebody else changed the policy since the caller read it
  kNoCanary,    // no candidate is being rolled out
  kBadPercent,  // not 1 to 99
  kBadDevice,   // not a device id
  kNoDevice,    // no such device was seen, or, for "latest", none at all
  kTooMany,     // more forced devices than the service keeps
};
std::string_view error_id(PolicyError error);

inline constexpr std::size_t kMaxForcedDevices = 10'000;

// Thread-safe. A document that is not valid fails with policy::DocumentError::kInvalid; then, and
// at every other error, what was in force stays in force.
class PolicyAdmin {
 public:
  virtual ~PolicyAdmin() = default;

  // {"revision","actor","time","text","findings":{id:{"number","action","rule","would_pass"}},
  //  "canary":null or {"percent","actor","time","text","appraisals","newly_failing",
  //  "newly_passing"}}. The counts are of this process since the canary began, or since it started.
  virtual Json show() = 0;

  // `revision` is that of the policy that the caller has seen: each change makes a new one. With
  // `canary` (1 to 99) the document becomes the candidate for that share of the devices; without
  // it, it is in force for all, and a candidate there was is gone.
  // {"revision","warnings":[{"line","column","key","message"}]}
  virtual Result<Json> put(const std::string& text, std::int64_t revision,
                           std::optional<unsigned> canary, const std::string& actor) = 0;
  enum class CanaryEnd { kPromote, kAbort };
  virtual Result<Json> end_canary(CanaryEnd how, std::int64_t revision,
                                  const std::string& actor) = 0;

  // Judges the `last` recorded appraisals by the document `text`:
  // {"appraisals","newly_failing":{"appraisals","devices"},"newly_passing":{...},
  //  "reasons":{finding id: appraisals},"devices":[{"did","package","platform","model","time",
  //  "passes":bool,"reasons":[ids]}],"devices_left_off"}. `reasons` are what fails now, or failed.
  virtual Result<Json> replay(const std::string& text, std::size_t last) = 0;

  // {"devices":[{"did","last_seen","passed","arc","package","force"}]}, the last seen first.
  virtual Result<Json> devices(std::size_t limit) = 0;
  // `did`: a device id, or "latest" for the device seen last. The members of devices() and
  // "appraisal": null or its newest recorded one, {"time","facts", and what policy::explain() says
  // of it under the policy in force}.
  virtual Result<Json> device(const std::string& did) = 0;
  // {"did","force"}; Force::kNone ends what was said before.
  virtual Result<Json> force(const std::string& did, policy::Force force,
                             const std::string& actor) = 0;
};

}  // namespace touchmark::verifier::state
