// Challenges that authenticate themselves: any replica with the key can check one without state.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "package/model/measurement.h"
#include "protocol/limits.h"
#include "protocol/range.h"

namespace touchmark::verifier::appraisal {

using protocol::kChallengeRanges;
using protocol::kNonceBytes;
using protocol::kRangeBytes;

enum class ChallengeState { kGood, kForged, kExpired };

struct CheckedChallenge {
  ChallengeState state = ChallengeState::kForged;
  UnixTime expires{};  // meaningful unless forged
};

// Immutable, so usable from many threads.
class ChallengeMaker {
 public:
  // `key`: 32 random bytes that never leave the service.
  explicit ChallengeMaker(Bytes key) : key_(std::move(key)) {}

  // 16 random bytes || expiry (unix seconds, 8 bytes big-endian) || HMAC-SHA256 of these cut to 16.
  Bytes make(UnixTime expires, Random& random) const;
  CheckedChallenge check(ByteView nonce, UnixTime now) const;

  // kChallengeRanges ranges of kRangeBytes over `code`, each byte of it equally likely to be asked
  // for. They follow from the nonce, but not without the key. Empty when `code` holds no byte.
  std::vector<protocol::Range> ranges(ByteView nonce, const std::vector<package::Part>& code) const;

 private:
  Bytes key_;
};

// What the ranges of a challenge are drawn over when nothing is registered under the measurement:
// the answer must not depend on what else is registered.
const std::vector<package::Part>& assumed_code();

}  // namespace touchmark::verifier::appraisal
