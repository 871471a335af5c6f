#include "verifier/policy/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "verifier/policy/explain.h"

namespace touchmark::verifier::policy {
namespace {

using protocol::FindingId;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> problems(const std::string& text) {
  std::vector<std::string> out;
  for (const Problem& problem : parse_document(text).problems) out.push_back(to_string(problem));
  return out;
}

Policy good(const std::string& text) {
  auto policy = parse_policy("version = 1\n" + text);
  EXPECT_TRUE(policy) << policy.error().text();
  return policy.value_or(Policy());
}

// The default asks for hardware, which a document that leaves its keys out does not; everything
// else in it says what is true anyway.
TEST(Document, TheDefaultSaysWhatIsTrueWithoutADocument) {
  Document document = parse_document(default_document());
  EXPECT_THAT(document.problems, IsEmpty());
  EXPECT_THAT(document.warnings, IsEmpty());
  EXPECT_EQ(document.policy.assurance.android.value, Assurance::kTee);
  EXPECT_EQ(document.policy.assurance.ios.value, Assurance::kSecureChip);
  EXPECT_EQ(document.policy.assurance.host.value, Assurance::kTee);
  document.policy.assurance = Policy().assurance;
  const Json said = explain_findings(document.policy);
  const Json silent = explain_findings(Policy());
  for (const auto& [id, finding] : silent.items()) {
    EXPECT_EQ(said[id]["action"], finding["action"]) << id;
    EXPECT_EQ(said[id]["would_pass"], finding["would_pass"]) << id;
  }
}

TEST(Document, NamesPlaceKeyAndNearestWord) {
  EXPECT_THAT(problems("version = 1\n[andriod]\n"),
              ElementsAre("2:2: andriod: unknown key; did you mean android?"));
  EXPECT_THAT(problems("version = 1\n[android]\n  min_os_verson = 12\n"),
              ElementsAre("3:3: android.min_os_verson: unknown key; did you mean min_os_version?"));
  EXPECT_THAT(
      problems("version = 1\n[findings]\n\"hook.framwork\" = \"reject\"\n"),
      ElementsAre("3:1: findings.\"hook.framwork\": is no finding and no group of findings; "
                  "did you mean hook.framework?"));
  EXPECT_THAT(problems("version = 1\n[findings]\n\"root.su\" = \"anotate\"\n"),
              ElementsAre("3:13: findings.\"root.su\": is not reject, annotate or ignore; did you "
                          "mean annotate?"));
  EXPECT_THAT(problems("version = 1\nassurance.android = \"te\"\n"),
              ElementsAre("2:21: assurance.android: te is not one of software, platform, tee, "
                          "secure-chip; did you mean tee?"));
  EXPECT_THAT(
      problems("version = 1\n[play_integrity]\ndevice_labels = [\"MEETS_DEVICE_INTEGRTY\"]"),
      ElementsAre(HasSubstr("3:18: play_integrity.device_labels: MEETS_DEVICE_INTEGRTY is "
                            "not one of")));
}

TEST(Document, ReportsEverythingAtOnceInOrder) {
  EXPECT_THAT(
      problems(R"([boot.keys]
a = "00"
b = "0000000000000000000000000000000000000000000000000000000000000000"
c = "cd7479653aa88208f9f03034810ef9b7b0af8a9d41e2000e458ac403a2acb233"
d = "CD7479653aa88208f9f03034810ef9b7b0af8a9d41e2000e458ac403a2acb233"
[android]
min_os_version = "new"
min_patch_level = { os = "2024-13", vendor = 2024-01-01 }
[app]
development_keys = 1
installers = ["com.android.vending", 1]
[[filters]]
name = "no condition"
effect = "refuse"
[[filters]]
effect = "deny"
os_version = "new"
modell = "x"
)"),
      ElementsAre("1:1: version: is missing: version = 1",
                  "2:5: boot.keys.a: is not a boot key: 64 hexadecimal digits",
                  "3:5: boot.keys.b: is the key that phones with an unverified system attest",
                  "5:5: boot.keys.d: is the same key as boot.keys.c (line 4)",
                  "7:18: android.min_os_version: is not a version such as 12 or \"8.1\"",
                  "8:26: android.min_patch_level.os: is not a patch level such as "
                  "\"2024-06\" or \"2024-06-05\", or an age such as \"540d\"",
                  "10:20: app.development_keys: is not true or false",
                  "11:38: app.installers: is not a text in quotation marks",
                  "12:1: filters[0]: has no condition; for every device say model = \"*\"",
                  "16:10: filters[1].effect: deny is not one of refuse, allow",
                  "17:14: filters[1].os_version: new is not a comparison such as \"<13\" or "
                  "\">=12.1, <14\"",
                  "18:1: filters[1].modell: unknown key; did you mean model?"));
}

TEST(Document, SaysWhereItIsNotToml) {
  EXPECT_THAT(problems("version = 1\nfindings = [\n"), ElementsAre(HasSubstr("not TOML: ")));
  EXPECT_THAT(problems("version = 1\nversion = 1\n"), ElementsAre(HasSubstr("2:")));
  EXPECT_THAT(problems("version = 1\n[+android]\n"), ElementsAre(HasSubstr("not TOML: ")));
  EXPECT_THAT(problems("version = 1\n# \u00fc\n[android]\nmin\u01a0 = 1\n"),
              ElementsAre("4:4: not TOML: a character outside ASCII, not in quotes or a comment"));
  EXPECT_THAT(problems("\ufeffversion = 1 # \u01a0\n[boot.keys]\n'\u01a0\\' = \"00\"\n"),
              ElementsAre(HasSubstr("3:")));
  EXPECT_THAT(problems(std::string("version = \xff")), ElementsAre(HasSubstr("not TOML: ")));
  EXPECT_THAT(problems("version = 1\na = " + std::string(100, '[')),
              ElementsAre(HasSubstr("not TOML: ")));
  EXPECT_THAT(problems(std::string(kMaxDocumentBytes + 1, '#')),
              ElementsAre("1:1: a policy has at most 256 KiB"));
}

TEST(Document, KnowsItsVersion) {
  EXPECT_THAT(problems(""), ElementsAre("1:1: version: is missing: version = 1"));
  EXPECT_THAT(problems("version = 2"), ElementsAre(HasSubstr("1:11: version: is not 1")));
  EXPECT_THAT(problems("version = \"1\""), ElementsAre(HasSubstr("1:11: version: is not 1")));
}

TEST(Document, BoundsItsProblems) {
  std::string text = "version = 1\n";
  for (int i = 0; i < 80; ++i) text += "unknown" + std::to_string(i) + " = 1\n";
  const auto found = problems(text);
  ASSERT_EQ(found.size(), kMaxProblems + 1);
  EXPECT_EQ(found.back(), "52:1: 30 more problems from here on");
}

TEST(Document, TheMoreExactFindingRuleCounts) {
  const Policy policy = good(R"([findings]
"hook.framework" = "ignore"
"hook.*" = "annotate"
"*" = "reject"
root.su = "annotate"
)");
  EXPECT_EQ(policy.action(FindingId::kHookFramework).value, Action::kIgnore);
  EXPECT_EQ(policy.action(FindingId::kHookPreload).value, Action::kAnnotate);
  EXPECT_EQ(policy.action(FindingId::kRootSu).value, Action::kAnnotate);
  EXPECT_EQ(policy.action(FindingId::kRootSu).rule, (Rule{"findings.\"root.su\"", 6}));
  EXPECT_EQ(policy.action(FindingId::kRootTestKeys).value, Action::kReject);
  EXPECT_THAT(problems("version = 1\n[findings]\n\"root.su\" = \"reject\"\nroot.su = \"ignore\""),
              ElementsAre(HasSubstr("is said twice; first in line 4")));
}

TEST(Document, AForcedFailIsNotForThePolicy) {
  EXPECT_THAT(problems("version = 1\n[findings]\n\"device.forced-fail\" = \"ignore\""),
              ElementsAre(HasSubstr("a forced fail always rejects")));
  EXPECT_EQ(good("findings.\"*\" = \"ignore\"").action(FindingId::kDeviceForcedFail).value,
            Action::kReject);
}

TEST(Document, TheManualsExamplesAreValid) {
  const std::string manual = touchmark::to_string(read_file("docs/policy.md", 1 << 20).value());
  constexpr std::string_view kStart = "```toml\n";
  std::size_t examples = 0;
  for (std::size_t at = manual.find(kStart); at != std::string::npos;
       at = manual.find(kStart, at + 1)) {
    const std::size_t begin = at + kStart.size();
    const std::string example = manual.substr(begin, manual.find("```\n", begin) - begin);
    EXPECT_THAT(problems(example), IsEmpty()) << example;
    EXPECT_THAT(parse_document(example).warnings, IsEmpty()) << example;
    ++examples;
  }
  EXPECT_GE(examples, 2U);
}

TEST(Document, WarnsOfWhatIsHardlyMeant) {
  const auto warnings = [](const std::string& text) {
    std::vector<std::string> out;
    for (const Problem& warning : parse_document("version = 1\n" + text).warnings) {
      out.push_back(to_string(warning));
    }
    return out;
  };
  EXPECT_THAT(warnings("findings.\"challenge.replayed\" = \"ignore\""),
              ElementsAre(HasSubstr("2:1: findings.\"challenge.replayed\": without "
                                    "challenge.replayed anybody can get valid tokens")));
  EXPECT_THAT(warnings("assurance.android = \"tee\""),
              ElementsAre(HasSubstr("assurance.android: assurance.ios is software")));
  EXPECT_THAT(warnings("assurance = { android = \"tee\", ios = \"secure-chip\" }"), IsEmpty());
}

}  // namespace
}  // namespace touchmark::verifier::policy
