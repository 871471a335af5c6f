#include "cli/io/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/io/exit_status.h"
#include "package/android/signature/error.h"
#include "pki/cms.h"

namespace touchmark::cli::io {
namespace {

using ::testing::HasSubstr;

TEST(Classify, GivesTheExitStatusOfEachClass) {
  EXPECT_EQ(classify(Error(CliError::kUsage, "")).exit_code, kExitUsage);
  EXPECT_EQ(classify(Error(CliError::kNotConfigured, "")).exit_code, kExitNotConfigured);
  EXPECT_EQ(classify(Error(CliError::kUnreachable, "")).exit_code, kExitUnreachable);
  EXPECT_EQ(classify(Error(CliError::kPinMismatch, "")).exit_code, kExitUnreachable);
  EXPECT_EQ(classify(Error(CliError::kUnauthorized, "")).exit_code, kExitUnauthorized);
  EXPECT_EQ(classify(Error(CliError::kServiceNoSpace, "")).exit_code, kExitNoSpace);
  EXPECT_EQ(classify(Error(FileError::kNoSpace, "")).exit_code, kExitNoSpace);
  EXPECT_EQ(classify(Error(FileError::kIo, "")).exit_code, kExitUsage);
  EXPECT_EQ(classify(Error(TimeError::kBadDuration, "")).exit_code, kExitUsage);
  EXPECT_EQ(classify(Error(CliError::kRefusedPackage, "")).exit_code, kExitNo);
  EXPECT_EQ(classify(Error(CliError::kBadAnswer, "")).exit_code, kExitService);
}

TEST(Classify, GoesByTheWholeId) {
  // A package's reader, and readers of evidence whose ids begin alike.
  EXPECT_THAT(classify(Error(package::signature::SignatureError::kV1NoManifest, "")).hint,
              HasSubstr("give the APK"));
  EXPECT_EQ(classify(Error(pki::SignatureError::kMalformedKey, "")).hint, "");
  EXPECT_EQ(classify(Error(pki::CmsError::kMalformed, "")).hint, "");
  EXPECT_EQ(classify(Error(pki::CmsError::kMalformed, "")).exit_code, kExitNo);
}

TEST(Describe, IsOneLineWithAHint) {
  const Error error(CliError::kUnreachable, "cannot reach\nhttps://x");
  EXPECT_EQ(describe(error),
            "touchmark: cannot reach https://x; check that `touchmark serve` runs there and that "
            "the address is right");
}

TEST(Describe, NamesTheIdOfOtherModules) {
  EXPECT_EQ(describe(Error(FileError::kNotFound, "a.pem: No such file or directory")),
            "touchmark: a.pem: No such file or directory (file.not-found); check the path");
}

TEST(DescribeJson, HoldsIdMessageHintAndExitCode) {
  const auto json = parse_json(describe_json(Error(CliError::kBadPin, "'x' is not a pin")));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["error"]["id"], "cli.bad-pin");
  EXPECT_EQ((*json)["error"]["message"], "'x' is not a pin");
  EXPECT_FALSE((*json)["error"]["hint"].get<std::string>().empty());
  EXPECT_EQ((*json)["exit_code"], kExitUsage);
}

TEST(ExitStatuses, AreDistinctAndComplete) {
  int expected = 0;
  for (const ExitStatus& status : exit_statuses()) EXPECT_EQ(status.code, expected++);
  EXPECT_EQ(expected, kExitService + 1);
}

}  // namespace
}  // namespace touchmark::cli::io
