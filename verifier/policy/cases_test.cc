// The table of testdata/cases.tsv: what a policy makes of a device, written down case by case.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/file.h"
#include "verifier/policy/document.h"
#include "verifier/policy/facts_json.h"

namespace touchmark::verifier::policy {
namespace {

const std::string kFolder = "verifier/policy/testdata/";
const UnixTime kNow = from_unix(1'720'000'000);  // 2024-07-03

std::string content(const std::string& name) {
  return touchmark::to_string(read_file(kFolder + name, 1 << 20).value());
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, separator);) out.push_back(one);
  return out;
}

// "tee" or "tee {...}": facts by name, merged with what is different.
Facts facts_of(const Json& named, const std::string& text) {
  const std::size_t space = text.find(' ');
  Json json = named.at(text.substr(0, space));
  if (space != std::string::npos) json.merge_patch(Json::parse(text.substr(space + 1)));
  auto facts = facts_from_json(json);
  EXPECT_TRUE(facts) << facts.error().text();
  return facts.value_or(Facts());
}

std::vector<protocol::Finding> findings_of(const std::string& text) {
  std::vector<protocol::Finding> out;
  if (text == "-") return out;
  for (const std::string& id : split(text, ',')) {
    const protocol::FindingInfo* info = protocol::find_finding(id);
    EXPECT_NE(info, nullptr) << id;
    if (info != nullptr) out.push_back({info->number, ""});
  }
  return out;
}

Force force_of(const std::string& text) {
  return text == "pass" ? Force::kPass : text == "fail" ? Force::kFail : Force::kNone;
}

std::string shown(const Verdict& verdict) {
  std::string out;
  for (const Decided& one : verdict.findings) {
    out += (out.empty() ? "" : " ") + std::string(protocol::to_string(one.finding.id)) + "=" +
           std::string(to_string(one.action));
  }
  return out.empty() ? "-" : out;
}

TEST(Cases, EveryVerdictIsTheOneWrittenDown) {
  const Json named = Json::parse(content("facts.json"));
  std::map<std::string, Policy> policies;
  std::size_t cases = 0;
  for (const std::string& line : split(content("cases.tsv"), '\n')) {
    if (line.starts_with('#')) continue;
    SCOPED_TRACE(line);
    const auto cells = split(line, '\t');
    ASSERT_EQ(cells.size(), 6U);
    auto policy = policies.find(cells[0]);
    if (policy == policies.end()) {
      auto parsed = parse_policy(content(cells[0] + ".toml"));
      ASSERT_TRUE(parsed) << parsed.error().text();
      policy = policies.emplace(cells[0], std::move(*parsed)).first;
    }
    const Verdict verdict = judge(policy->second, facts_of(named, cells[1]), findings_of(cells[2]),
                                  kNow, force_of(cells[3]));
    EXPECT_EQ(verdict.passed ? "pass" : "fail", cells[4]);
    EXPECT_EQ(shown(verdict), cells[5]);
    ++cases;
  }
  EXPECT_GE(cases, 500U);
}

}  // namespace
}  // namespace touchmark::verifier::policy
