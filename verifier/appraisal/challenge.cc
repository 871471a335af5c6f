#include "verifier/appraisal/challenge.h"

#include <algorithm>

#include "crypto/crypto.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr std::size_t kRandomBytes = 16;
constexpr std::size_t kSignedBytes = 24;
constexpr std::size_t kMacBytes = 16;
constexpr std::uint64_t kAssumedDexBytes = 1 << 20;

std::uint64_t read_u64(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.first(8)) value = value << 8 | std::to_integer<unsigned>(byte);
  return value;
}

// The range around byte `position` of all code put end to end.
protocol::Range range_at(const std::vector<package::Part>& code, std::uint64_t position) {
  const auto* part = code.data();
  while (position >= part->size) position -= (part++)->size;
  // Moved forward where it would reach over the end, so that every range is as long as it can be.
  const std::uint64_t last = part->size > kRangeBytes ? part->size - kRangeBytes : 0;
  return {part->name, std::min(position, last), kRangeBytes};
}

}  // namespace

Bytes ChallengeMaker::make(UnixTime expires, Random& random) const {
  Bytes nonce = random.bytes(kRandomBytes);
  const auto seconds = static_cast<std::uint64_t>(to_unix(expires));
  for (int shift = 56; shift >= 0; shift -= 8) {
    nonce.push_back(static_cast<std::byte>(seconds >> shift & 0xFF));
  }
  append(nonce, ByteView(crypto::hmac_sha256(key_, nonce)).first(kMacBytes));
  return nonce;
}

CheckedChallenge ChallengeMaker::check(ByteView nonce, UnixTime now) const {
  if (nonce.size() != kNonceBytes) return {};
  const Sha256Digest mac = crypto::hmac_sha256(key_, nonce.first(kSignedBytes));
  if (!crypto::constant_time_equal(ByteView(mac).first(kMacBytes), nonce.last(kMacBytes)))
    return {};
  const UnixTime expires =
      from_unix(static_cast<std::int64_t>(read_u64(nonce.subspan(kRandomBytes))));
  return {now < expires ? ChallengeState::kGood : ChallengeState::kExpired, expires};
}

std::vector<protocol::Range> ChallengeMaker::ranges(ByteView nonce,
                                                    const std::vector<package::Part>& code) const {
  std::uint64_t total = 0;
  for (const package::Part& part : code) total += part.size;
  if (total == 0) return {};
  Bytes input = key_;
  append(input, nonce);
  const Bytes stream =
      crypto::hkdf_sha256(input, "touchmark challenge ranges v1", kChallengeRanges * 8);
  std::vector<protocol::Range> out;
  for (std::size_t i = 0; i < kChallengeRanges; ++i) {
    // The bias of the remainder is below total / 2^64.
    out.push_back(range_at(code, read_u64(ByteView(stream).subspan(i * 8)) % total));
  }
  return out;
}

const std::vector<package::Part>& assumed_code() {
  static const std::vector<package::Part> code{
      {"classes.dex", package::PartKind::kDex, kAssumedDexBytes, {}}};
  return code;
}

}  // namespace touchmark::verifier::appraisal
