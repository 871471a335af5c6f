// POST /v1/challenge: what an app asks, and the challenge that it gets (protocol/README.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_document.h"
#include "protocol/range.h"

namespace touchmark::protocol {

inline constexpr std::string_view kChallengePath = "/v1/challenge";

enum class ChallengeError {
  kMalformed,  // a member is missing, of another type, or out of its bounds
};
std::string_view error_id(ChallengeError error);

// A code-bearing part of a package that is installed.
struct CodePart {
  std::string name;
  std::uint64_t size = 0;  // bytes, uncompressed; at least one
  bool operator==(const CodePart&) const = default;
};

// [["classes.dex",2341234], ...], in the order given; parts over kMaxClaimedParts are left out.
Json encode_code(const std::vector<CodePart>& code);
// nullopt: not a list of parts and their sizes, or too long a one.
std::optional<std::vector<CodePart>> decode_code(JsonView json);

struct ChallengeRequest {
  std::string account;
  Sha256Digest measurement{};  // of the app's own package; all zero when it cannot be read
  // In the order of their names, at most the first kMaxClaimedParts. Empty: the app does not say.
  std::vector<CodePart> code;
  bool operator==(const ChallengeRequest&) const = default;
};

// The body. Parts over kMaxClaimedParts are left out.
std::string encode_challenge_request(const ChallengeRequest& request);
// Fails with JsonError or ChallengeError.
Result<ChallengeRequest> decode_challenge_request(std::string_view body);

struct Challenge {
  Bytes nonce;  // its one base64url text is sent back as `eat_nonce`
  Seconds expires_in{};
  std::vector<Range> ranges;
  UnixTime time{};  // the service's clock
  bool operator==(const Challenge&) const = default;
};

// The challenge object: the answer's body here, and a member of the attest answer.
std::string encode_challenge(const Challenge& challenge);
// Fails with ChallengeError or RangeError.
Result<Challenge> decode_challenge(JsonView object);
// The same from a whole answer; fails with JsonError, too.
Result<Challenge> decode_challenge_answer(std::string_view body);

}  // namespace touchmark::protocol
