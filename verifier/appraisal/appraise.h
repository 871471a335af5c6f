// Compares evidence with reference values and with the connection it came by: evidence -> findings.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/app_check.h"
#include "verifier/appraisal/challenge.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"
#include "verifier/appraisal/replay_cache.h"

namespace touchmark::verifier::appraisal {

// Bytes [offset, offset + length) of the registered part with this SHA-256, clipped to its end.
using RangeReader = std::function<Result<Bytes>(const Sha256Digest& part, std::uint64_t offset,
                                                std::uint64_t length)>;

// What of the connection the evidence must agree with.
struct ExpectedConnection {
  // Exporter value of the connection itself; absent where another party ends TLS.
  std::optional<Bytes> exporter;
  // SHA-256 of the SPKI that clients may have seen; one of them must match.
  std::vector<Sha256Digest> spki;
};

struct AppraisalSettings {
  std::string account;
  Seconds challenge_lifetime{120};
};

// Answer of SHA-256(nonce || bytes of the ranges), with the content that is registered. `digests`
// tells by name which part is meant; what it does not name is absent.
Result<Sha256Digest> range_proof(ByteView nonce, const std::vector<protocol::Range>& ranges,
                                 const std::map<std::string, Sha256Digest>& digests,
                                 const RangeReader& read);

// Thread-safe. Does the same work for evidence that is good and for evidence that is not: no check
// is left out because another one failed.
class Appraiser {
 public:
  Appraiser(AppraisalSettings settings, const ChallengeMaker& challenges, ReplayCache& replays,
            RangeReader read)
      : settings_(std::move(settings)),
        challenges_(challenges),
        replays_(replays),
        read_(std::move(read)) {}

  // Every finding, the client's own included; empty for a sound app on a sound device. `app`: the
  // evidence's, among these references. Fails only when the service itself cannot appraise:
  // AppraisalError, or the reader's error.
  Result<std::vector<protocol::Finding>> appraise(const Evidence& evidence,
                                                  const ReferenceValues& references,
                                                  const Recognition& app,
                                                  const ExpectedConnection& connection,
                                                  UnixTime now) const;

 private:
  Result<bool> proof_matches(const Evidence& evidence, const Recognition& app,
                             const Reference& reference, UnixTime challenge_expires) const;

  AppraisalSettings settings_;
  const ChallengeMaker& challenges_;
  ReplayCache& replays_;
  RangeReader read_;
};

enum class AppraisalError {
  kOverloaded,  // more challenges were spent in their lifetime than can be remembered
};
std::string_view error_id(AppraisalError error);

}  // namespace touchmark::verifier::appraisal
