#include "verifier/appraisal/challenge.h"

#include <gtest/gtest.h>

#include <cmath>
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

TEST_F(ChallengeTest, AsksForRangesThatHoldAByteOfTheCode) {
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
      EXPECT_LT(range.offset, sizes.at(range.part));
      EXPECT_GE(range.length, 1U);
      EXPECT_LE(range.length, kRangeBytes);
      EXPECT_TRUE(range.offset == 0 || range.length == kRangeBytes);
    }
  }
  EXPECT_EQ(asked.size(), 3U) << "every part is asked for at some time";
}

// How often the bytes at some places are asked for, over many challenges: each as often as any
// other, the first and the last of a part too.
TEST_F(ChallengeTest, AsksForEachByteAsOftenAsForAnyOther) {
  const std::vector<package::Part> code{part("a.dex", 20'000), part("b.so", 300),
                                        part("c.so", kRangeBytes)};
  struct Place {
    std::string part;
    std::uint64_t at;
  };
  const std::vector<Place> places{{"a.dex", 0},
                                  {"a.dex", 1},
                                  {"a.dex", kRangeBytes - 1},
                                  {"a.dex", 10'000},
                                  {"a.dex", 19'998},
                                  {"a.dex", 19'999},
                                  {"b.so", 0},
                                  {"b.so", 299},
                                  {"c.so", 0},
                                  {"c.so", kRangeBytes - 1}};
  constexpr int kChallenges = 8000;
  const double ranges = kChallenges * static_cast<double>(kChallengeRanges);
  const double starts = 20'000 + 300 + kRangeBytes + 3.0 * (kRangeBytes - 1);
  const double chance = static_cast<double>(kRangeBytes) / starts;
  std::vector<double> covered(places.size());
  for (int i = 0; i < kChallenges; ++i) {
    for (const auto& range : maker_.ranges(maker_.make(kNow, random_), code)) {
      for (std::size_t p = 0; p < places.size(); ++p) {
        covered[p] += range.part == places[p].part && places[p].at >= range.offset &&
                      places[p].at < range.offset + range.length;
      }
    }
  }
  const double deviation = std::sqrt(ranges * chance * (1 - chance));
  for (std::size_t p = 0; p < places.size(); ++p) {
    EXPECT_NEAR(covered[p], ranges * chance, 5 * deviation)
        << places[p].part << " " << places[p].at;
  }
}

TEST_F(ChallengeTest, KnowsWhatItsRangesWereDrawnOver) {
  for (const Layout layout : {Layout::kClaimed, Layout::kNamed, Layout::kUnknown}) {
    const Bytes nonce = maker_.make(kNow + Seconds(1), random_, layout);
    EXPECT_EQ(nonce.size(), kNonceBytes);
    EXPECT_EQ(maker_.check(nonce, kNow).state, ChallengeState::kGood);
    EXPECT_EQ(maker_.check(nonce, kNow).layout, layout);
  }
}

TEST_F(ChallengeTest, AssumesSmallPartsWhereNoSizesAreClaimed) {
  std::map<std::string, Sha256Digest> named;
  for (int i = 0; i < 600; ++i) named["lib" + std::to_string(i)] = {};
  const auto code = assumed_code(named);
  EXPECT_EQ(code.size(), protocol::kMaxClaimedParts);
  for (const package::Part& one : code) EXPECT_EQ(one.size, kAssumedBytes);
  ASSERT_EQ(assumed_code().size(), 1U);
  EXPECT_EQ(assumed_code()[0].name, "classes.dex");
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
