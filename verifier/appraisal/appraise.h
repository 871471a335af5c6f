// Compares evidence with the reference values and with the connection that it came over. The
// result is findings and facts; the policy judges them later.
#pragma once

#include <functional>
#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/app_check.h"
#include "verifier/appraisal/challenge.h"
#include "verifier/appraisal/device_evidence.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"
#include "verifier/appraisal/replay_cache.h"
#include "verifier/model/connection.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier::appraisal {

using ByteSink = std::function<void(ByteView)>;
// Gives `sink` bytes [offset, offset + length) of the registered part with this SHA-256, clipped to
// its end, in one piece or more.
using RangeReader = std::function<Result<void>(const Sha256Digest& part, std::uint64_t offset,
                                               std::uint64_t length, const ByteSink& sink)>;

struct AppraisalSettings {
  std::string account;
  // Whether a client may have seen the key with this SHA-256 of its SPKI, where its connection does
  // not tell. Thread-safe.
  std::function<bool(ByteView spki)> is_service_key;
  bool tls_terminated_by_proxy = false;  // then exporter values are not compared
};

// What an appraisal keeps of findings, whatever a client reports. Every kind that there is stays;
// beyond kMaxRepeatedFindings only the first of a kind does, and says how many more there were.
inline constexpr std::size_t kMaxRepeatedFindings = 32;
inline constexpr std::size_t kMaxDetails = 2048;  // bytes in JSON, of all details together

// Details are cut where they are too long together. Where the challenge is refused, only that
// finding keeps its own.
std::vector<protocol::Finding> bounded(std::vector<protocol::Finding> findings);

// What an appraisal found. The policy has not judged it yet.
struct Appraisal {
  // The client's own included; in no particular order; bounded().
  std::vector<protocol::Finding> findings;
  policy::Facts facts;
  policy::Assurance claimed_assurance = policy::Assurance::kSoftware;  // unverified
};

// SHA-256(nonce || bytes of the ranges), taken from the registered content. `digests` maps a part's
// name to its SHA-256; a part that it does not name counts as absent.
Result<Sha256Digest> range_proof(ByteView nonce, const std::vector<protocol::Range>& ranges,
                                 const std::map<std::string, Sha256Digest>& digests,
                                 const RangeReader& read);

// Thread-safe. Does the same work for evidence that is good and for evidence that is not: no check
// is left out because another one failed.
class Appraiser {
 public:
  // What is passed by reference must outlive this.
  Appraiser(AppraisalSettings settings, const ChallengeMaker& challenges, ReplayCache& replays,
            const HardwareAppraiser& devices, RangeReader read)
      : settings_(std::move(settings)),
        challenges_(challenges),
        replays_(replays),
        devices_(devices),
        read_(std::move(read)) {}

  // Without findings for a sound app on a sound device. Fails only when the service itself cannot
  // appraise: AppraisalError, the reader's error, or that of the App Attest keys.
  Result<Appraisal> appraise(const Evidence& evidence, const model::Connection& connection,
                             const ReferenceValues& references, UnixTime now) const;

 private:
  // Spends the challenge, whatever else is wrong with the evidence.
  Result<std::vector<protocol::Finding>> check_challenge(const Evidence& evidence,
                                                         const CheckedChallenge& challenge,
                                                         UnixTime now) const;
  Result<bool> proof_matches(const Evidence& evidence, const Recognition& app,
                             const ReferenceValues& references, Layout layout) const;
  std::vector<protocol::Finding> check_connection(const Evidence& evidence,
                                                  const model::Connection& connection) const;

  AppraisalSettings settings_;
  const ChallengeMaker& challenges_;
  ReplayCache& replays_;
  const HardwareAppraiser& devices_;
  RangeReader read_;
};

enum class AppraisalError {
  kOverloaded,  // more challenges were spent in their lifetime than can be remembered
};
std::string_view error_id(AppraisalError error);

}  // namespace touchmark::verifier::appraisal
