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

TEST_F(ConfigTest, FindsTheKeySetOfAHost) {
  Json payload = config_payload(key_);
  payload["api"] = {{{"domain", "a.example"}, {"pins", Json::array()}, {"keyset", "every"}},
                    {{"domain", "a.example:8443"}, {"pins", Json::array()}, {"keyset", "own"}},
                    {{"domain", "a.example:8444"}, {"pins", Json::array()}},
                    {{"domain", "b.example:444"}, {"pins", Json::array()}, {"keyset", "b"}}};
  const Config config = *parse(payload);
  const auto key_set = [&config](const char* host) {
    return key_set_of(config, *protocol::parse_host_port(host));
  };
  EXPECT_EQ(key_set("a.example:443"), "every");
  EXPECT_EQ(key_set("a.example:8443"), "own");
  EXPECT_EQ(key_set("a.example:8444"), "") << "its own rule names none";
  EXPECT_EQ(key_set("b.example:444"), "b");
  EXPECT_EQ(key_set("b.example:443"), "");
  payload["api"][0]["keyset"] = std::string(33, 'x');
  EXPECT_FALSE(parse(payload));
  payload["api"][0]["keyset"] = 1;
  EXPECT_FALSE(parse(payload));
}

TEST_F(ConfigTest, FindsTheRulesOfAHost) {
  Json payload = config_payload(key_);
  payload["api"] = {{{"domain", "a.example"}, {"pins", {pin_text(1)}}},
                    {{"domain", "A.example:8443"}, {"pins", {pin_text(2)}}},
                    {{"domain", "b.example:444"}, {"pins", {pin_text(3)}}}};
  const Config config = *parse(payload);
  const auto pins = [&config](const char* host) {
    const HostPort parsed = *protocol::parse_host_port(host);
    std::string out = is_api(config, parsed) ? "api" : "";
    for (const Sha256Digest& pin : pins_of(config, parsed)) {
      out += " " + std::to_string(std::to_integer<int>(pin[0]));
    }
    return out;
  };
  EXPECT_EQ(pins("a.example"), "api 1 2");
  EXPECT_EQ(pins("a.example:443"), "api 1");
  EXPECT_EQ(pins("a.EXAMPLE.:8443"), "api 2");
  EXPECT_EQ(pins("b.example:444"), "api 3");
  EXPECT_EQ(pins("b.example"), "api 3");  // the port is not known, so the pins hold
  EXPECT_EQ(pins("b.example:443"), "");
  EXPECT_EQ(pins("x.a.example"), "");
  EXPECT_EQ(pins("example"), "");
}

// Of each configuration: for which keys a connection to which host goes on.
TEST_F(ConfigTest, ARuleWithoutPinsUnpinsItsOwnPortOnly) {
  const Json one = {pin_text(1)};
  const Json two = {pin_text(2)};
  const Json none = Json::array();
  struct Case {
    std::vector<std::pair<std::string, Json>> rules;
    std::vector<std::pair<std::string, std::string>> allowed;  // host -> keys of 1, 2, 3
  };
  const std::vector<Case> cases = {
      {{{"a.example:443", one}, {"a.example:8443", two}},
       {{"a.example:443", "1"},
        {"a.example:8443", "2"},
        {"a.example", "12"},
        {"a.example:1", "123"}}},
      {{{"a.example:443", one}, {"a.example:8443", none}},
       {{"a.example:443", "1"}, {"a.example:8443", "123"}, {"a.example", "1"}}},
      {{{"a.example:8443", none}, {"a.example:443", one}},
       {{"a.example:443", "1"}, {"a.example:8443", "123"}, {"a.example", "1"}}},
      {{{"a.example", one}, {"a.example:8443", none}},
       {{"a.example:443", "1"}, {"a.example:8443", "123"}, {"a.example", "1"}}},
      {{{"a.example", none}, {"a.example:443", one}},
       {{"a.example:443", "1"}, {"a.example:8443", "123"}, {"a.example", "1"}}},
      {{{"a.example:1", none}, {"a.example:2", none}},
       {{"a.example:1", "123"}, {"a.example", "123"}}},
      {{{"a.example:1", none}, {"a.example:2", none}, {"a.example:3", one}, {"a.example", two}},
       {{"a.example:1", "123"}, {"a.example:3", "1"}, {"a.example:4", "2"}, {"a.example", "12"}}},
      // Twice the same domain: its pins hold, whichever comes first.
      {{{"a.example:443", none}, {"a.example:443", one}}, {{"a.example:443", "1"}}},
      {{{"a.example", two}, {"a.example", none}}, {{"a.example:443", "2"}, {"a.example", "2"}}},
      {{{"b.example", none}, {"a.example", one}}, {{"b.example:443", "123"}, {"a.example", "1"}}},
  };
  for (const Case& test : cases) {
    Json payload = config_payload(key_);
    payload["api"] = Json::array();
    for (const auto& [domain, pins] : test.rules) {
      payload["api"].push_back({{"domain", domain}, {"pins", pins}});
    }
    const Config config = *parse(payload);
    for (const auto& [host, keys] : test.allowed) {
      std::string allowed;
      for (const char key : {'1', '2', '3'}) {
        Sha256Digest digest;
        digest.fill(std::byte(key - '0'));
        const PinSet pins = pins_of(config, *protocol::parse_host_port(host));
        if (pins_allow(pins, std::span(&digest, 1))) allowed += key;
      }
      EXPECT_EQ(allowed, keys) << host << " of " << payload["api"].dump();
    }
  }
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
