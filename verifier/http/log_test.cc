#include "verifier/http/log.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <string>

#include "base/file.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::verifier::http {
namespace {

// What the system's own functions make of a time in UTC.
std::string utc(std::time_t seconds) {
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%S.", &parts);
  return out;
}

class LogTest : public ::testing::Test {
 protected:
  std::string logged(LogFormat format, const LogFields& fields) {
    const auto path = folder_.path() / "log";
    auto log = Log::open(path.string(), format);
    EXPECT_TRUE(log);
    (*log)->write(LogLevel::kInfo, "event \"one\"", fields);
    const auto bytes = read_file(path, 1 << 20);
    EXPECT_TRUE(bytes);
    return to_string(ByteView(*bytes));
  }
  const touchmark::testing::TemporaryFolder folder_;
};

TEST_F(LogTest, WritesALineOfJsonThatPeopleCanReadToo) {
  const std::time_t before = std::time(nullptr);
  const std::string line = logged(LogFormat::kJson, LogFields()
                                                        .text("b", "x\n\"y\"")
                                                        .boolean("a", true)
                                                        .literal("c", "[1]")
                                                        .text("caf\xc3\xa9", ""));
  const std::time_t after = std::time(nullptr);
  const Json json = Json::parse(line);
  const std::string time = json.at("time");
  EXPECT_GE(time, utc(before));
  EXPECT_LE(time, utc(after) + "999Z");
  EXPECT_EQ(time.size(), std::string_view("2026-11-24T20:28:28.123Z").size());
  EXPECT_TRUE(time.ends_with('Z'));
  EXPECT_EQ(line,
            R"({"time":")" + time +
                R"(","level":"info","event":"event \"one\"","b":"x\n\"y\"","a":true,"c":[1],)" +
                "\"caf\xc3\xa9\":\"\"}\n");
}

TEST_F(LogTest, WritesALineOfText) {
  const std::string line =
      logged(LogFormat::kText, LogFields().text("b", "x y").boolean("a", false));
  EXPECT_TRUE(line.ends_with(" info event \"one\" b=\"x y\" a=false\n")) << line;
}

TEST_F(LogTest, BoundsALine) {
  const std::string line =
      logged(LogFormat::kJson, LogFields().text("long", std::string(20'000, 'x')));
  EXPECT_LE(line.size(), 8192U);
  EXPECT_GT(Json::parse(line).at("cut_from_bytes"), 20'000);
}

}  // namespace
}  // namespace touchmark::verifier::http
