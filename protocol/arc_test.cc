#include "protocol/arc.h"

#include <gtest/gtest.h>

namespace touchmark::protocol {
namespace {

std::vector<Finding> findings(std::initializer_list<int> numbers) {
  std::vector<Finding> out;
  for (const int number : numbers) out.push_back({static_cast<FindingId>(number), ""});
  return out;
}

TEST(Arc, EncodesNoFindingsAsVersionAndChecksum) {
  // 01 01 -> 00000 00100 00000 1(0000)
  EXPECT_EQ(encode_arc({}), "AEAQ");
}

TEST(Arc, SortsAndDropsDuplicates) {
  const auto a = findings({30, 1, 30, 20});
  const auto b = findings({1, 20, 30});
  EXPECT_EQ(encode_arc(a), encode_arc(b));
  EXPECT_EQ(decode_arc(encode_arc(a)), (std::vector<std::uint8_t>{1, 20, 30}));
}

TEST(Arc, RoundTripsEveryKnownFinding) {
  std::vector<Finding> all;
  std::vector<std::uint8_t> numbers;
  for (const FindingInfo& info : all_findings()) {
    all.push_back({info.number, ""});
    numbers.push_back(static_cast<std::uint8_t>(info.number));
    EXPECT_EQ(decode_arc(encode_arc(all)), numbers);
  }
}

TEST(Arc, TakesLowerCase) { EXPECT_EQ(decode_arc("aeaq"), std::vector<std::uint8_t>{}); }

TEST(Arc, RefusesWhatNoEncoderMakes) {
  const auto is = [](std::string_view arc, ArcError code) {
    const auto decoded = decode_arc(arc);
    return !decoded && decoded.error().is(code);
  };
  EXPECT_TRUE(is("AEA1", ArcError::kBadCharacter));
  EXPECT_TRUE(is("AEAQ=", ArcError::kBadCharacter));
  EXPECT_TRUE(is("", ArcError::kBadLength));
  EXPECT_TRUE(is("AE", ArcError::kBadLength));
  EXPECT_TRUE(is("AEAR", ArcError::kBadLength));    // unused bits set
  EXPECT_TRUE(is("AEAQAA", ArcError::kBadLength));  // a character that carries nothing
  EXPECT_TRUE(is(std::string(1000, 'A'), ArcError::kBadLength));
  EXPECT_TRUE(is("AEBA", ArcError::kBadChecksum));     // 01 02
  EXPECT_TRUE(is("AIBA", ArcError::kUnknownVersion));  // 02 02
  EXPECT_TRUE(is("AEBACBA", ArcError::kNotSorted));    // 01 02 01 04
}

TEST(Arc, FindsEverySingleMistypedCharacter) {
  const auto all = findings({1, 3, 20, 61});
  const std::string arc = encode_arc(all);
  int undetected = 0;
  for (std::size_t i = 0; i < arc.size(); ++i) {
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")) {
      if (c == arc[i]) continue;
      std::string wrong = arc;
      wrong[i] = c;
      if (decode_arc(wrong)) ++undetected;
    }
  }
  EXPECT_EQ(undetected, 0);
}

}  // namespace
}  // namespace touchmark::protocol
