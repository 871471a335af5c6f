// Challenges that authenticate themselves: any replica with the key can check one without state.
#pragma once

#include <map>
#include <string>
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

// What the client had said of its code when a challenge was made, over which its ranges were drawn.
// Never what is registered: the ranges would tell it.
enum class Layout {
  kClaimed,  // parts and their sizes
  kNamed,    // parts alone: evidence of an SDK that does not claim sizes
  kUnknown,  // nothing
};

struct CheckedChallenge {
  ChallengeState state = ChallengeState::kForged;
  UnixTime expires{};                // meaningful unless forged
  Layout layout = Layout::kClaimed;  // likewise
};

// Immutable, so usable from many threads.
class ChallengeMaker {
 public:
  // `key`: 32 random bytes that never leave the service.
  explicit ChallengeMaker(Bytes key);

  // 16 random bytes || expiry (unix seconds, 8 bytes big-endian) || HMAC-SHA256 of these cut to 16.
  // The layout is in the MAC alone, so that a client cannot answer the ranges of another one.
  Bytes make(UnixTime expires, Random& random, Layout layout = Layout::kClaimed) const;
  CheckedChallenge check(ByteView nonce, UnixTime now) const;

  // kChallengeRanges ranges over `code`, each byte of it equally likely to be asked for, the first
  // and the last of a part too: a range may begin before its part and end after it, and is shorter
  // then. (Written out, the end is not cut: what lies beyond it is absent.) They follow from the
  // nonce, but not without the key. Empty when `code` holds no byte.
  std::vector<protocol::Range> ranges(ByteView nonce, const std::vector<package::Part>& code) const;

 private:
  Sha256Digest mac(ByteView signed_part, Layout layout) const;
  Bytes key_;
  Bytes range_key_;  // derived from it
};

// What ranges are drawn over where no sizes are claimed. Small, so that a range hardly ever lies
// beyond the end of its part, where it would ask for nothing.
inline constexpr std::uint64_t kAssumedBytes = 64 * 1024;
// Parts of these names; at most the first protocol::kMaxClaimedParts of them.
std::vector<package::Part> assumed_code(const std::map<std::string, Sha256Digest>& named);
// Of a client that names no part.
const std::vector<package::Part>& assumed_code();

}  // namespace touchmark::verifier::appraisal
