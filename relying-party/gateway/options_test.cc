#include "relying-party/gateway/options.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace touchmark::relying::gateway {
namespace {

constexpr const char* kSecretText = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=";

Result<Plan> plan_of(const std::string& text, const Given& flags = {},
                     SettingsText variables = {}) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "gateway.toml";
  std::ofstream(file) << text;
  std::ofstream(folder / "secret") << kSecretText << "\n";
  variables.emplace("TOUCHMARK_GATEWAY_CONFIG", file.string());
  return read_plan("", flags, variables);
}

const SettingsText kSecretVariable{{"TOUCHMARK_SECRET", kSecretText}};

TEST(GatewayOptions, AFileHasAllOfThem) {
  const auto plan = plan_of(R"(
listen = ["127.0.0.1:8080", "unix:/run/gateway.sock"]
decision_listen = "[::1]:9091"
metrics_listen = ":9092"
upstream = "http://api.example:3000"
trusted_proxy = ["10.0.0.0/8"]
threads = 3
idle_timeout = "5s"
log_format = "json"
[check]
mode = "report"
leeway = 2.5
binding_headers = ["Authorization", "X-Session"]
secret = ")" + std::string(kSecretText) +
                            R"("
[[rule]]
path = "/v1/*"
mode = "off"
[[rule]]
path = "/v2/pay"
level = "tee"
single_use = true
binding_headers = []
percent = 10
upstream = "unix:/run/pay.sock"
)");
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_EQ(plan->listen.size(), 2U);
  EXPECT_EQ(to_string(plan->listen[1]), "unix:/run/gateway.sock");
  EXPECT_EQ(to_string(plan->decision_listen.at(0)), "[::1]:9091");
  EXPECT_EQ(to_string(*plan->metrics_listen), "[::]:9092");
  EXPECT_EQ(plan->threads, 3U);
  EXPECT_EQ(plan->limits.idle, std::chrono::seconds(5));
  EXPECT_EQ(plan->check.mode, Mode::kReport);
  EXPECT_EQ(plan->check.leeway, 2.5);
  EXPECT_EQ(plan->check.binding_headers.size(), 2U);
  ASSERT_EQ(plan->rules.size(), 2U);
  EXPECT_EQ(plan->rules[0].route.mode, Mode::kOff);
  EXPECT_EQ(plan->rules[1].route.level, Level::kTee);
  EXPECT_EQ(plan->rules[1].route.percent, 10U);
  EXPECT_TRUE(plan->rules[1].route.binding_headers->empty());
  EXPECT_EQ(to_string(plan->upstreams.at(plan->rules[1].upstream.value())), "unix:/run/pay.sock");
}

TEST(GatewayOptions, AFlagGoesBeforeAVariableAndThatBeforeTheFile) {
  const std::string file =
      "decision_listen = \":1\"\nthreads = 1\nmax_connections = 1\n[check]\nmode = \"off\"\n";
  SettingsText variables{{"TOUCHMARK_GATEWAY_THREADS", "2"},
                         {"TOUCHMARK_GATEWAY_MAX_CONNECTIONS", "2"},
                         {"TOUCHMARK_MODE", "report"},
                         {"TOUCHMARK_SECRET", kSecretText}};
  const auto plan = plan_of(file, {{"threads", {"3"}}}, variables);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->threads, 3U);
  EXPECT_EQ(plan->max_connections, 2U);
  EXPECT_EQ(plan->check.mode, Mode::kReport);
  EXPECT_TRUE(plan->warnings.empty());
}

TEST(GatewayOptions, NameWhatIsWrongAndWhereItStands) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "nothing to listen on"},
      {"listen = \":1\"", "there is no --upstream"},
      {"lisen = \":1\"", ":1: lisen: unknown key; did you mean listen?"},
      {"listen = 5", ":1: listen: is \"5\""},
      {"listen = true", ":1: listen: is neither text"},
      {"listen = \"localhost:1\"", ":1: listen: is \"localhost:1\""},
      {"upstream = \"https://api.example\"", ":1: upstream: is \"https://api.example\""},
      {"upstream = \"http://u@api.example\"", ":1: upstream: is"},
      {"upstream = \"http://api.example/x\"", ":1: upstream: is"},
      {"decision_listen = \"unix:relative\"", ":1: decision_listen: is"},
      {"threads = 0", ":1: threads: is \"0\""},
      {"header_bytes = 10", ":1: header_bytes: is \"10\""},
      {"idle_timeout = \"soon\"", ":1: idle_timeout: "},
      {"trusted_proxy = [\"10.0.0.0/99\"]", ":1: trusted_proxy: "},
      {"log_level = \"loud\"", ":1: log_level: is \"loud\""},
      {"check = 1", ":1: check: is not a table"},
      {"[check]\nmod = \"report\"", ":2: mod: unknown key; did you mean mode?"},
      {"[check]\nsecret_file = \"/no/such\"", ":2: secret_file: "},
      {"[check]\nmode = \"reprot\"", "TOUCHMARK_MODE is \"reprot\""},
      {"[rule]\npath = \"/\"", ": rule: is not an array of tables"},
      {"[[rule]]\nmode = \"off\"", ":1: a rule without a path"},
      {"[[rule]]\npath = \"v1\"", ":2: path: is no path of a rule"},
      {"[[rule]]\npath = \"/\"\nmode = \"of\"", ":3: mode: use"},
      {"[[rule]]\npath = \"/\"\npercent = 101", ":3: percent: use"},
      {"[[rule]]\npath = \"/\"\nlevel = \"high\"", ":3: level: use"},
      {"[[rule]]\npath = \"/\"\nsingle_use = 1", ":3: single_use: use"},
      {"[[rule]]\npath = \"/\"\nbinding_headers = \"Touchmark-Token\"",
       ":3: binding_headers: names"},
      {"[[rule]]\npath = \"/\"\nupstream = \"unix:/x\"", ":3: upstream: there is no upstream"},
      {"[[rule]]\npath = \"/\"\nmethod = \"GET\"", ":3: method: unknown key"},
      {"listen = ", ":1: not TOML"},
  };
  for (const auto& [file, problem] : cases) {
    const auto plan = plan_of(file, {}, kSecretVariable);
    ASSERT_FALSE(plan) << file;
    EXPECT_NE(plan.error().message().find(problem), std::string::npos)
        << file << " | " << plan.error().message();
  }
}

}  // namespace
}  // namespace touchmark::relying::gateway
