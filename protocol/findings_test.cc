#include "protocol/findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>

namespace touchmark::protocol {
namespace {

TEST(Findings, TableEqualsTheDocument) {
  std::ifstream document("protocol/findings.md");
  ASSERT_TRUE(document) << "run from the top of the source tree";
  const std::regex row(
      R"(\| (\d+) \| `([a-z.-]+)` \| (verifier|attester) \| (reject|annotate) \| (.*) \|)");
  std::size_t rows = 0;
  for (std::string line; std::getline(document, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    ASSERT_LT(rows, all_findings().size()) << line;
    const FindingInfo& info = all_findings()[rows++];
    EXPECT_EQ(std::to_string(static_cast<int>(info.number)), match[1].str());
    EXPECT_EQ(info.id, match[2].str());
    EXPECT_EQ(to_string(info.found_by), match[3].str());
    EXPECT_EQ(to_string(info.level), match[4].str());
    EXPECT_EQ(info.meaning, match[5].str());
  }
  EXPECT_EQ(rows, all_findings().size());
}

// Each of the SDK's has a row that says what it looks at, with the level that it has.
TEST(Findings, OfTheSdkAreExplained) {
  std::ifstream document("docs/checks.md");
  ASSERT_TRUE(document) << "run from the top of the source tree";
  const std::regex row(
      R"(\| `([a-z.-]+)` \| (reject|annotate) \| (none|MASTG-TEST-\d{4}(, MASTG-TEST-\d{4})*) \| .*)");
  std::vector<std::string> rows;
  for (std::string line; std::getline(document, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    const FindingInfo* info = find_finding(match[1].str());
    ASSERT_NE(info, nullptr) << line;
    EXPECT_EQ(to_string(info->level), match[2].str()) << line;
    rows.emplace_back(info->id);
  }
  std::vector<std::string> expected;
  for (const FindingInfo& info : all_findings()) {
    if (info.found_by == FoundBy::kAttester) expected.emplace_back(info.id);
  }
  std::ranges::sort(rows);
  std::ranges::sort(expected);
  EXPECT_EQ(rows, expected);
}

TEST(Findings, AreFoundByIdAndNumber) {
  for (const FindingInfo& info : all_findings()) {
    EXPECT_EQ(find_finding(info.id), &info);
    EXPECT_EQ(find_finding(static_cast<std::uint8_t>(info.number)), &info);
    EXPECT_EQ(to_string(info.number), info.id);
  }
  EXPECT_EQ(find_finding("hook.unheard-of"), nullptr);
  EXPECT_EQ(find_finding(std::uint8_t{0}), nullptr);
}

TEST(Findings, NumbersAscend) {
  for (std::size_t i = 1; i < all_findings().size(); ++i) {
    EXPECT_LT(all_findings()[i - 1].number, all_findings()[i].number);
  }
}

}  // namespace
}  // namespace touchmark::protocol
