// The requests of the contract, with what each must get.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "relying-party/cpp/guard.h"
#include "tests/support/settable_clock.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/vectors.h"

namespace touchmark::relying {
namespace {

using testing::read_json_vector;

Json contract() { return read_json_vector("../../protocol/vectors/token-check/requests.json"); }

// The settings of a group as they are in an environment.
SettingsText settings_of(const Json& group, const std::filesystem::path& jwks) {
  SettingsText out;
  for (const auto& [name, value] : group.at("settings").items()) {
    const auto text = value.get<std::string>();
    out[name] = text == "${jwks}" ? jwks.string() : text;
  }
  return out;
}

void play(Guard& guard, const Json& one, const std::string& group) {
  SCOPED_TRACE(group + ": " + one.at("name").get<std::string>());
  std::vector<std::pair<std::string, std::string>> texts;
  for (const Json& header : one.at("headers")) {
    texts.emplace_back(header.at(0).get<std::string>(), header.at(1).get<std::string>());
  }
  std::vector<Header> headers;
  for (const auto& [name, value] : texts) headers.push_back({name, value});
  const auto method = one.at("method").get<std::string>();
  const std::string client = one.value("client", "");
  const Decision decision = guard.check({.method = method, .headers = headers, .client = client});
  EXPECT_EQ(to_string(decision.status()), one.at("status").get<std::string>());
  EXPECT_EQ(to_string(decision.reason), one.at("reason").get<std::string>());
  EXPECT_EQ(decision.allowed, one.at("http") == 200);
  EXPECT_EQ(to_string(decision.maker), one.value("maker", "touchmark"));
}

TEST(Contract, EveryRequestGetsWhatItMustGet) {
  const Json vectors = contract();
  const auto clock =
      std::make_shared<testing::SettableClock>(from_unix(vectors.at("now").get<std::int64_t>()));
  const testing::TemporaryFolder folder;
  const std::filesystem::path jwks = folder.path() / "jwks.json";
  std::size_t played = 0;
  for (const Json& group : vectors.at("groups")) {
    const auto name = group.at("name").get<std::string>();
    if (group.contains("jwks")) std::ofstream(jwks) << group.at("jwks").dump();
    auto settings = read_settings(settings_of(group, jwks));
    ASSERT_TRUE(settings) << name << settings.error().text();
    Guard::Surroundings surroundings;
    surroundings.clock = clock;
    auto guard = Guard::make(std::move(*settings), std::move(surroundings));
    ASSERT_TRUE(guard) << name;
    for (const Json& one : group.at("cases")) {
      play(**guard, one, name);
      ++played;
    }
  }
  EXPECT_GE(played, 582U);
}

}  // namespace
}  // namespace touchmark::relying
