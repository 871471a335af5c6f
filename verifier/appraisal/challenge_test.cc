#include "verifier/appraisal/challenge.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::appraisal {
namespace {

constexpr UnixTime kNow{Seconds(1'790'000'000)};

package::Part part(const std::string& name, std::uint64_t size) {
  return {name, package::PartKind::kDex, size, {}};
}

class ChallengeTest : public ::testing::Test {
 protected:
  testing::RepeatableRandom random_;
  ChallengeMaker maker_{Bytes(32, std::byte{7})};
};

TEST_F(ChallengeTest, IsGoodUntilItExpires) {
  const Bytes nonce = maker_.make(kNow + Seconds(120), random_);
  ASSERT_EQ(nonce.size(), kNonceBytes);
  EXPECT_EQ(maker_.check(nonce, kNow).state, ChallengeState::kGood);
  EXPECT_EQ(maker_.check(nonce, kNow + Seconds(119)).state, ChallengeState::kGood);
  EXPECT_EQ(maker_.check(nonce, kNow + Seconds(120)).state, ChallengeState::kExpired);
  EXPECT_EQ(maker_.check(nonce, kNow).expires, kNow + Seconds(120));
}

TEST_F(ChallengeTest, IsForgedWhenAnyBitDiffers) {
  const Bytes nonce = maker_.make(kNow + Seconds(120), random_);
  for (std::size_t bit = 0; bit < nonce.size() * 8; ++bit) {
    Bytes changed = nonce;
    changed[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_EQ(maker_.check(changed, kNow).state, ChallengeState::kForged) << "bit " << bit;
  }
}

TEST_F(ChallengeTest, IsForgedUnderAnotherKeyOrLength) {
  Bytes nonce = maker_.make(kNow + Seconds(120), random_);
  EXPECT_EQ(ChallengeMaker(Bytes(32, std::byte{8})).check(nonce, kNow).state,
            ChallengeState::kForged);
  EXPECT_EQ(maker_.check({}, kNow).state, ChallengeState::kForged);
  nonce.push_back(std::byte{0});
  EXPECT_EQ(maker_.check(nonce, kNow).state, ChallengeState::kForged);
}

TEST_F(ChallengeTest, NeverRepeats) {
  std::set<Bytes> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(maker_.make(kNow, random_));
  EXPECT_EQ(seen.size(), 1000U);
}

TEST_F(ChallengeTest, AsksForWholeRangesInsideTheCode) {
  const std::vector<package::Part> code{part("classes.dex", 10'000), part("empty", 0),
                                        part("small.so", 100), part("lib.so", 50'000)};
  const std::map<std::string, std::uint64_t> sizes{
      {"classes.dex", 10'000}, {"small.so", 100}, {"lib.so", 50'000}};
  std::set<std::string> asked;
  for (int i = 0; i < 500; ++i) {
    const auto ranges = maker_.ranges(maker_.make(kNow, random_), code);
    ASSERT_EQ(ranges.size(), kChallengeRanges);
    for (const protocol::Range& range : ranges) {
      asked.insert(range.part);
      EXPECT_EQ(range.length, kRangeBytes);
      const std::uint64_t size = sizes.at(range.part);
      EXPECT_LE(range.offset + std::min(size, kRangeBytes), size);
    }
  }
  EXPECT_EQ(asked.size(), 3U) << "every part is asked for at some time";
}

TEST_F(ChallengeTest, ReachesTheFirstAndTheLastBytes) {
  const std::vector<package::Part> code{part("classes.dex", 3 * kRangeBytes)};
  std::uint64_t lowest = UINT64_MAX;
  std::uint64_t highest = 0;
  for (int i = 0; i < 2000; ++i) {
    for (const auto& range : maker_.ranges(maker_.make(kNow, random_), code)) {
      lowest = std::min(lowest, range.offset);
      highest = std::max(highest, range.offset);
    }
  }
  EXPECT_LT(lowest, 16U);
  EXPECT_EQ(highest, 2 * kRangeBytes);
}

TEST_F(ChallengeTest, DrawsTheSameRangesForTheSameNonceAndKeyOnly) {
  const Bytes nonce = maker_.make(kNow, random_);
  EXPECT_EQ(maker_.ranges(nonce, assumed_code()), maker_.ranges(nonce, assumed_code()));
  EXPECT_NE(maker_.ranges(nonce, assumed_code()),
            ChallengeMaker(Bytes(32, std::byte{8})).ranges(nonce, assumed_code()));
  EXPECT_NE(maker_.ranges(nonce, assumed_code()),
            maker_.ranges(maker_.make(kNow, random_), assumed_code()));
}

TEST_F(ChallengeTest, AsksNothingOfNoCode) {
  EXPECT_TRUE(maker_.ranges(maker_.make(kNow, random_), {}).empty());
  EXPECT_TRUE(maker_.ranges(maker_.make(kNow, random_), {part("empty", 0)}).empty());
}

}  // namespace
}  // namespace touchmark::verifier::appraisal
