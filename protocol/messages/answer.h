// POST /v1/attest: the request that carries evidence, and the answer that carries a token
// (protocol/README.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages/challenge.h"

namespace touchmark::protocol {

inline constexpr std::string_view kAttestPath = "/v1/attest";

enum class AnswerError {
  kMalformed,  // a member is missing, of another type, or out of its bounds
};
std::string_view error_id(AnswerError error);

// The request's body. `evidence`: a compact JWS.
std::string encode_attest_request(const std::string& evidence);
// The compact JWS, unread. Fails with JsonError.
Result<std::string> decode_attest_request(std::string_view body);

struct AttestAnswer {
  std::string token = {};
  Seconds expires_in = {};
  // For the next attestation. A client does without one, or with one that it cannot read.
  std::optional<Challenge> challenge = {};
  std::string config = {};  // a newer one, a compact JWS still to be verified; empty: none
  // Only where the policy reveals them.
  std::optional<std::string> arc = {};
  std::optional<std::vector<std::string>> reasons = {};  // ids of findings
  bool operator==(const AttestAnswer&) const = default;
};

// The body, padded with spaces to a multiple of kAnswerQuantum bytes.
std::string encode_attest_answer(const AttestAnswer& answer);
// Fails with JsonError or AnswerError.
Result<AttestAnswer> decode_attest_answer(std::string_view body);

}  // namespace touchmark::protocol
