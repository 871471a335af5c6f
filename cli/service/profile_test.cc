#include "cli/service/profile.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/io/error.h"
#include "cli/testing/test_world.h"

namespace touchmark::cli::service {
namespace {

class ProfileTest : public ::testing::Test {
 protected:
  ProfileTest() { variables_["TOUCHMARK_HOME"] = folder_.path().string(); }

  Environment environment() {
    return [this](const char* name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
  }

  TemporaryFolder folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ProfileTest, IsReadBackAsItWasSaved) {
  const Endpoint saved{"https://host:8443", "tmk_admin_x", {TestWorld::kPin}, "PEM"};
  ASSERT_TRUE(save_profile(environment(), "default", saved));
  const auto loaded = load_profile(environment(), "default");
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->url, saved.url);
  EXPECT_EQ(loaded->token, saved.token);
  EXPECT_EQ(loaded->pins, saved.pins);
  EXPECT_EQ(loaded->ca_pem, saved.ca_pem);
}

TEST_F(ProfileTest, IsForItsOwnerOnly) {
  ASSERT_TRUE(save_profile(environment(), "default", {"https://host", "t", {}, ""}));
  const auto path = profile_path(environment(), "default").value();
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat(path.parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);

  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  const auto loaded = load_profile(environment(), "default");
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().is(io::CliError::kBadProfile));
}

TEST_F(ProfileTest, MissingAndDamagedOnesAreToldApart) {
  EXPECT_TRUE(load_profile(environment(), "default").error().is(io::CliError::kNotConfigured));
  EXPECT_TRUE(load_profile(environment(), "prod").error().is(io::CliError::kNoSuchProfile));
  for (const char* content :
       {"", "{", "[]", "{\"url\":3}", "{\"url\":\"https://x\",\"pins\":[1]}"}) {
    const auto path = profile_path(environment(), "prod").value();
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(write_file_atomic(path, as_bytes(content), 0600));
    const auto loaded = load_profile(environment(), "prod");
    ASSERT_FALSE(loaded) << content;
    EXPECT_TRUE(loaded.error().is(io::CliError::kBadProfile)) << content;
  }
}

TEST_F(ProfileTest, NameCannotLeaveTheFolder) {
  for (const char* name : {"", "../x", "a/b", ".hidden", "a b"}) {
    EXPECT_TRUE(profile_path(environment(), name).error().is(io::CliError::kUsage)) << name;
  }
}

TEST_F(ProfileTest, FolderFollowsTheEnvironment) {
  EXPECT_EQ(profile_path(environment(), "x").value(), folder_.path() / "profiles/x.json");
  variables_ = {{"XDG_CONFIG_HOME", "/c"}, {"HOME", "/h"}};
  EXPECT_EQ(profile_path(environment(), "x").value(), "/c/touchmark/profiles/x.json");
  variables_ = {{"HOME", "/h"}};
  EXPECT_EQ(profile_path(environment(), "x").value(), "/h/.config/touchmark/profiles/x.json");
  variables_.clear();
  EXPECT_TRUE(profile_path(environment(), "x").error().is(io::CliError::kUsage));
}

TEST_F(ProfileTest, EnvironmentAloneIsEnough) {
  variables_["TOUCHMARK_URL"] = "https://Other:1/";
  variables_["TOUCHMARK_TOKEN"] = "t";
  variables_["TOUCHMARK_PIN"] = TestWorld::kPin;
  const auto endpoint = resolve_endpoint(environment(), "default");
  ASSERT_TRUE(endpoint) << endpoint.error().text();
  EXPECT_EQ(endpoint->url, "https://other:1");
  EXPECT_EQ(endpoint->token, "t");
  EXPECT_EQ(endpoint->pins, std::vector<std::string>{TestWorld::kPin});
}

TEST_F(ProfileTest, StoredTokenNeverGoesToAnotherAddress) {
  ASSERT_TRUE(save_profile(environment(), "default",
                           {"https://host", "secret token", {TestWorld::kPin}, ""}));
  variables_["TOUCHMARK_URL"] = "https://evil";
  EXPECT_TRUE(resolve_endpoint(environment(), "default").error().is(io::CliError::kNotConfigured));
  variables_["TOUCHMARK_TOKEN"] = "t";
  const auto endpoint = resolve_endpoint(environment(), "default");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->token, "t");
  EXPECT_TRUE(endpoint->pins.empty());

  variables_ = {{"TOUCHMARK_HOME", folder_.path().string()}, {"TOUCHMARK_URL", "HTTPS://HOST/"}};
  EXPECT_EQ(resolve_endpoint(environment(), "default").value().token, "secret token");
}

TEST(ParseOperatorToken, TakesNothingThatBreaksOutOfAHeader) {
  EXPECT_EQ(parse_operator_token(" tmk_admin_a-b_c\n").value(), "tmk_admin_a-b_c");
  for (const char* text : {"", " ", "a b", "a\r\nX-Header: 1", "a\"", "\xc3\xa9"}) {
    EXPECT_TRUE(parse_operator_token(text).error().is(io::CliError::kUsage)) << text;
  }
  EXPECT_FALSE(parse_operator_token(std::string(5000, 'a')));
}

TEST(NormalizeUrl, TakesAddressesAndRefusesTheRest) {
  EXPECT_EQ(normalize_url("https://Host:8443/").value(), "https://host:8443");
  EXPECT_EQ(normalize_url("localhost:8443").value(), "https://localhost:8443");
  for (const char* text : {"", "http://host", "ftp://host", "https://", "https://host/path",
                           "https://user@host", "https://ho st", "https://host?x"}) {
    EXPECT_TRUE(normalize_url(text).error().is(io::CliError::kUsage)) << text;
  }
}

}  // namespace
}  // namespace touchmark::cli::service
