#include "attester/core/config.h"

#include "attester/testing/testing.h"

namespace touchmark::attester {
namespace {

using testing::config_payload;
using testing::pin_text;
using testing::sign_config;

class ConfigTest : public ::testing::Test {
 protected:
  Config initial() { return *parse_initial_config(sign_config(config_payload(key_), key_)); }
  Result<Config> parse(const Json& payload) {
    return parse_initial_config(sign_config(payload, key_));
  }

  crypto::EcKey key_ = crypto::EcKey::generate();
};

TEST_F(ConfigTest, ReadsEveryMember) {
  const Config config = initial();
  EXPECT_EQ(config.account, "acct");
  EXPECT_EQ(config.version, 1);
  EXPECT_THAT(config.urls,
              ::testing::ElementsAre("https://one.example:8443", "https://two.example"));
  EXPECT_EQ(config.service_pins.size(), 2U);
  EXPECT_EQ(config.service_pins[0][31], std::byte{1});
  EXPECT_EQ(config.retry.attempts, 2);
  EXPECT_EQ(config.retry.timeout, std::chrono::minutes(1));
  ASSERT_EQ(config.apis.size(), 2U);
  EXPECT_EQ(config.apis[1].domain, (HostPort{"open.example.com", 444}));
  EXPECT_EQ(config.token_header, "Touchmark-Token");
}

TEST_F(ConfigTest, RefusesWhatItsKeyDidNotSign) {
  const crypto::EcKey other = crypto::EcKey::generate();
  EXPECT_TRUE(parse_initial_config(sign_config(config_payload(key_), other))
                  .error()
                  .is(ConfigError::kBadSignature));
  std::string changed = sign_config(config_payload(key_), key_);
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(parse_initial_config(changed));
  EXPECT_TRUE(parse_initial_config("").error().is(ConfigError::kMalformed));
  EXPECT_TRUE(parse_initial_config("a.b.c").error().is(ConfigError::kMalformed));
  // Another document of the same key is not a configuration.
  EXPECT_TRUE(parse_initial_config(crypto::sign_es256(config_payload(key_), key_, {{"typ", "JWT"}}))
                  .error()
                  .is(ConfigError::kMalformed));
}

TEST_F(ConfigTest, RefusesMalformedMembers) {
  const auto refused = [this](const std::function<void(Json&)>& change, ConfigError error) {
    Json payload = config_payload(key_);
    change(payload);
    const Result<Config> config = parse(payload);
    return !config && config.error().is(error);
  };
  const auto malformed = ConfigError::kMalformed;
  EXPECT_TRUE(refused([](Json& p) { p.erase("account"); }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["version"] = 0; }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["version"] = "2"; }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["service"]["urls"] = Json::array(); }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["service"].erase("pins"); }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["retry"]["attempts"] = 0; }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["retry"]["timeout_ms"] = 1; }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["api"] = 7; }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p.erase("token"); }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["config_key"]["x"] = "AA"; }, malformed));
  EXPECT_TRUE(refused([](Json& p) { p["service"]["urls"][0] = "http://one.example"; },
                      ConfigError::kBadUrl));
  EXPECT_TRUE(refused([](Json& p) { p["service"]["urls"][0] = 1; }, ConfigError::kBadUrl));
  EXPECT_TRUE(
      refused([](Json& p) { p["api"][0]["domain"] = "https://a"; }, ConfigError::kBadDomain));
  EXPECT_TRUE(refused([](Json& p) { p["api"][0]["pins"][0] = "AAAA"; }, ConfigError::kBadPin));
  EXPECT_TRUE(refused([](Json& p) { p["service"]["pins"][0] = 5; }, ConfigError::kBadPin));
  EXPECT_TRUE(refused([](Json& p) { p["token"]["header"] = "A B"; }, ConfigError::kBadHeader));
  EXPECT_TRUE(refused([](Json& p) { p["token"]["prefix"] = "x\r\nY: "; }, ConfigError::kBadHeader));
}

TEST_F(ConfigTest, TakesNewerVersionOfSameAccountAndKey) {
  Json payload = config_payload(key_, 2);
  payload["api"][0]["pins"] = {pin_text(9)};
  const Result<Config> update = parse_config_update(initial(), sign_config(payload, key_));
  ASSERT_TRUE(update) << update.error().text();
  EXPECT_EQ(update->version, 2);
  EXPECT_EQ(update->apis[0].pins[0][0], std::byte{9});
}

TEST_F(ConfigTest, RefusesOtherUpdates) {
  const auto error = [this](const Json& payload, const crypto::EcKey& signer) {
    return parse_config_update(initial(), sign_config(payload, signer)).error();
  };
  EXPECT_TRUE(error(config_payload(key_, 1), key_).is(ConfigError::kNotNewer));
  Json foreign = config_payload(key_, 2);
  foreign["account"] = "other";
  EXPECT_TRUE(error(foreign, key_).is(ConfigError::kWrongAccount));
  const crypto::EcKey other = crypto::EcKey::generate();
  EXPECT_TRUE(error(config_payload(other, 2), other).is(ConfigError::kBadSignature));
  EXPECT_TRUE(error(config_payload(other, 2), key_).is(ConfigError::kWrongKey));
}

TEST_F(ConfigTest, FindsTheRuleOfAHost) {
  Json payload = config_payload(key_);
  payload["api"] = {{{"domain", "a.example"}, {"pins", {pin_text(1)}}},
                    {{"domain", "A.example:8443"}, {"pins", {pin_text(2)}}},
                    {{"domain", "b.example:444"}, {"pins", {pin_text(3)}}}};
  const Config config = *parse(payload);
  const auto first_pin = [&config](const char* host) -> int {
    const ApiRule* rule = find_api(config, *protocol::parse_host_port(host));
    return rule == nullptr ? 0 : std::to_integer<int>(rule->pins[0][0]);
  };
  EXPECT_EQ(first_pin("a.example"), 1);
  EXPECT_EQ(first_pin("a.example:443"), 1);
  EXPECT_EQ(first_pin("a.EXAMPLE.:8443"), 2);
  EXPECT_EQ(first_pin("b.example:444"), 3);
  EXPECT_EQ(first_pin("b.example"), 3);  // the port is not known, so the pins hold
  EXPECT_EQ(first_pin("b.example:443"), 0);
  EXPECT_EQ(first_pin("x.a.example"), 0);
  EXPECT_EQ(first_pin("example"), 0);
}

TEST_F(ConfigTest, AHostWithoutAPortMeetsThePinsOfOneOfItsPorts) {
  Json payload = config_payload(key_);
  payload["api"] = {{{"domain", "a.example:443"}, {"pins", {pin_text(1)}}},
                    {{"domain", "a.example:8443"}, {"pins", {pin_text(2)}}}};
  const Config config = *parse(payload);
  const auto allows = [&config](const char* host, unsigned char key) {
    Sha256Digest digest;
    digest.fill(std::byte{key});
    return host_allows(config, *protocol::parse_host_port(host), std::span(&digest, 1));
  };
  EXPECT_TRUE(allows("a.example", 1));
  EXPECT_TRUE(allows("a.example", 2));
  EXPECT_FALSE(allows("a.example", 3));
  EXPECT_TRUE(allows("a.example:443", 1));
  EXPECT_FALSE(allows("a.example:443", 2));
  EXPECT_TRUE(allows("a.example:1", 3));
  EXPECT_TRUE(allows("b.example", 3));
}

TEST(PinTest, AnyKeyOfTheChainMayBePinned) {
  Sha256Digest one{};
  Sha256Digest two{};
  two[0] = std::byte{2};
  EXPECT_TRUE(pins_allow({}, {}));
  EXPECT_TRUE(pins_allow({}, std::span(&one, 1)));
  EXPECT_TRUE(pins_allow({two, one}, std::span(&one, 1)));
  EXPECT_FALSE(pins_allow({two}, std::span(&one, 1)));
  EXPECT_FALSE(pins_allow({two}, {}));
  const std::array chain{one, two};
  EXPECT_TRUE(pins_allow({two}, chain));
}

}  // namespace
}  // namespace touchmark::attester
