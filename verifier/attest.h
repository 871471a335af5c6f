// What apps ask of the service: a challenge, and a token for evidence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "protocol/messages/challenge.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/appraisal/token.h"
#include "verifier/model/connection.h"
#include "verifier/policy/policy.h"
#include "verifier/state/api_domains.h"
#include "verifier/state/appraisal_journal.h"
#include "verifier/state/devices.h"
#include "verifier/state/key_sets.h"
#include "verifier/state/policy_rollout.h"
#include "verifier/state/registry.h"
#include "verifier/state/settings.h"

namespace touchmark::verifier {

enum class AttestationError {
  kMalformedRequest,  // the request is not the protocol's shape
};
std::string_view error_id(AttestationError error);

// What the log says of one attestation. Never holds the token.
struct AttestationRecord {
  bool passed = false;
  std::string device_id;
  std::string package_name;
  std::string assurance;                    // of the installation key: "software", "tee", ...
  std::vector<protocol::Finding> findings;  // those that the policy does not ignore, by number
  std::string arc;
};

struct AttestationAnswer {
  std::string body;  // JSON, padded with spaces to a multiple of protocol::kAnswerQuantum
  AttestationRecord record;
};

// What attestation reads and feeds; all of it outlives the attestation.
struct AttestationParts {
  const state::ServiceSettings& settings;
  const appraisal::ChallengeMaker& challenges;
  const appraisal::Appraiser& appraiser;
  const appraisal::TokenMint& mint;
  const state::KeySets& key_sets;
  const state::Registry& registry;
  const state::ApiDomains& api_domains;
  const state::PolicyRollout& policy;
  state::Devices& devices;
  state::AppraisalJournal& journal;
  const Clock& clock;
  Random& random;
};

// The hot path. Thread-safe: reads immutable snapshots and, except the counters of App Attest,
// writes no disk. A valid token and a decoy come by the same path, from the same work, in answers
// of the same shape.
class Attestation {
 public:
  explicit Attestation(AttestationParts parts) : parts_(parts) {}

  // POST /v1/challenge and POST /v1/attest; bodies as protocol/README.md says. Both fail with
  // kMalformedRequest; attest() also where the service itself cannot appraise (Appraiser).
  Result<std::string> challenge(std::string_view body);
  Result<AttestationAnswer> attest(std::string_view body, const model::Connection& connection);
  // attest() in two steps: reading the evidence, and judging it. Between the two the caller can
  // tell whether the second may wait for a disk, and move to a thread that may.
  Result<appraisal::Evidence> read(std::string_view body) const;
  Result<AttestationAnswer> attest(const appraisal::Evidence& evidence,
                                   const model::Connection& connection);
  // App Attest's counter is on disk before the answer.
  static bool waits_for_disk(const appraisal::Evidence& evidence) {
    return evidence.submods.contains(protocol::kAppAttestSubmod);
  }

 private:
  // By the policy in force for the device; devices and journal take note of it.
  policy::Verdict judge(const appraisal::Appraisal& appraisal, UnixTime now);
  AttestationAnswer answer(const appraisal::Evidence& evidence,
                           const appraisal::Appraisal& appraisal, const policy::Verdict& verdict,
                           UnixTime now);
  std::string answer_body(const appraisal::Evidence& evidence,
                          const appraisal::Appraisal& appraisal, const policy::Verdict& verdict,
                          const std::string& arc, UnixTime now);
  std::string token(const appraisal::Evidence& evidence, const appraisal::Appraisal& appraisal,
                    const policy::Verdict& verdict, const std::string& arc, UnixTime now);
  // The ranges are drawn over the client's claims alone: `code` or, where it claims no sizes, the
  // parts that it has `named`.
  protocol::Challenge new_challenge(const std::vector<protocol::CodePart>& code,
                                    const std::map<std::string, Sha256Digest>& named, UnixTime now);

  AttestationParts parts_;
};

}  // namespace touchmark::verifier
