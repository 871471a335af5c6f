#include "verifier/appraisal/challenge.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/crypto.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr const char* kRangeKey = "touchmark challenge ranges v2";
constexpr std::size_t kRandomBytes = 16;
constexpr std::size_t kSignedBytes = 24;
constexpr std::size_t kMacBytes = 16;
// A range of one byte before the part's first still reaches into it.
constexpr std::uint64_t kBefore = kRangeBytes - 1;

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kNumbersOfMac = sizeof(Sha256Digest) / kNumberBytes;
static_assert(kChallengeRanges % kNumbersOfMac == 0);

// In how many places a range can begin and hold a byte of the part. Each byte lies in kRangeBytes
// of them.
std::uint64_t starts_of(const package::Part& part) {
  return part.size == 0 ? 0 : part.size + kBefore;
}

// The range that begins at the `start`th of all places, part by part.
protocol::Range range_at(const std::vector<package::Part>& code, std::uint64_t start) {
  const auto* part = code.data();
  while (start >= starts_of(*part)) start -= starts_of(*part++);
  if (start < kBefore) return {part->name, 0, start + 1};  // cut at the part's first byte
  return {part->name, start - kBefore, kRangeBytes};
}

}  // namespace

ChallengeMaker::ChallengeMaker(Bytes key)
    : key_(std::move(key)),
      range_key_(crypto::hkdf_sha256(key_, kRangeKey, sizeof(Sha256Digest))) {}

Sha256Digest ChallengeMaker::mac(ByteView signed_part, Layout layout) const {
  // Without a mark the MAC is the one that challenges always had: a key that was attested for one
  // of them goes on counting.
  if (layout == Layout::kClaimed) return crypto::hmac_sha256(key_, signed_part);
  Bytes marked = to_bytes(signed_part);
  marked.push_back(static_cast<std::byte>(layout));
  return crypto::hmac_sha256(key_, marked);
}

Bytes ChallengeMaker::make(UnixTime expires, Random& random, Layout layout) const {
  Bytes nonce = random.bytes(kRandomBytes);
  append_big_endian(nonce, static_cast<std::uint64_t>(to_unix(expires)));
  append(nonce, ByteView(mac(nonce, layout)).first(kMacBytes));
  return nonce;
}

CheckedChallenge ChallengeMaker::check(ByteView nonce, UnixTime now) const {
  if (nonce.size() != kNonceBytes) return {};
  for (const Layout layout : {Layout::kClaimed, Layout::kNamed, Layout::kUnknown}) {
    const Sha256Digest right = mac(nonce.first(kSignedBytes), layout);
    if (!crypto::constant_time_equal(ByteView(right).first(kMacBytes), nonce.last(kMacBytes)))
      continue;
    const UnixTime expires =
        from_unix(static_cast<std::int64_t>(big_endian(nonce.subspan(kRandomBytes, kNumberBytes))));
    return {now < expires ? ChallengeState::kGood : ChallengeState::kExpired, expires, layout};
  }
  return {};
}

std::vector<protocol::Range> ChallengeMaker::ranges(ByteView nonce,
                                                    const std::vector<package::Part>& code) const {
  std::uint64_t total = 0;
  for (const package::Part& part : code) total += starts_of(part);
  if (total == 0) return {};
  std::vector<protocol::Range> out;
  out.reserve(kChallengeRanges);
  Bytes input = to_bytes(nonce);
  input.push_back(std::byte{0});
  for (std::size_t block = 0; block < kChallengeRanges / kNumbersOfMac; ++block) {
    input.back() = static_cast<std::byte>(block);
    const Sha256Digest numbers = crypto::hmac_sha256(range_key_, input);
    for (std::size_t i = 0; i < kNumbersOfMac; ++i) {
      // The bias of the remainder is below total / 2^64.
      out.push_back(range_at(
          code, big_endian(ByteView(numbers).subspan(i * kNumberBytes, kNumberBytes)) % total));
    }
  }
  return out;
}

std::vector<package::Part> assumed_code(const std::map<std::string, Sha256Digest>& named) {
  std::vector<package::Part> out;
  for (const auto& [name, sha256] : named) {
    if (out.size() == protocol::kMaxClaimedParts) break;
    out.push_back({name, package::PartKind::kOther, kAssumedBytes, {}});
  }
  return out;
}

const std::vector<package::Part>& assumed_code() {
  static const std::vector<package::Part> code = assumed_code({{"classes.dex", {}}});
  return code;
}

}  // namespace touchmark::verifier::appraisal
