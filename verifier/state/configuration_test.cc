#include "verifier/state/configuration.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "protocol/limits.h"

namespace touchmark::verifier::state {
namespace {

constexpr UnixTime kNow{Seconds(1'790'000'000)};

class ConfigurationTest : public ::testing::Test {
 protected:
  ConfigurationTest() {
    settings_.public_urls = {"https://localhost:8443"};
    settings_.service_pins = {pin(1), pin(2)};
  }
  static std::string pin(std::uint8_t fill) { return base64_encode(Bytes(32, std::byte{fill})); }
  protocol::Configuration content(const std::vector<model::ApiDomain>& apis = {}) const {
    return configuration_content("account", settings_, apis, key_).value();
  }
  Result<Configuration> next(const Configuration& before,
                             const std::vector<model::ApiDomain>& apis = {}) const {
    return next_configuration(before, content(apis), kNow);
  }
  ServiceSettings settings_;
  crypto::EcKey key_ = crypto::EcKey::generate();
};

TEST_F(ConfigurationTest, SaysEverythingTheSdkNeeds) {
  const Configuration made = next({}, {{"api.example", {pin(3)}}}).value();
  EXPECT_EQ(made.version, 1);
  auto opened = crypto::verify_es256(made.jws, key_, "touchmark-config+jwt");
  ASSERT_TRUE(opened) << opened.error().text();
  const Json& payload = opened->payload;
  EXPECT_EQ(payload["account"], "account");
  EXPECT_EQ(payload["version"], 1);
  EXPECT_EQ(payload["issued"], 1'790'000'000);
  EXPECT_EQ(payload["service"].dump(), R"({"pins":[")" + pin(1) + R"(",")" + pin(2) +
                                           R"("],"urls":["https://localhost:8443"]})");
  EXPECT_EQ(payload["api"].dump(), R"([{"domain":"api.example","pins":[")" + pin(3) + R"("]}])");
  EXPECT_EQ(payload["token"].dump(), R"({"header":"Touchmark-Token","prefix":""})");
  EXPECT_EQ(payload["config_key"], crypto::to_jwk(key_));
  EXPECT_TRUE(payload["retry"].contains("attempts"));
}

TEST_F(ConfigurationTest, CountsUpOnlyWhenItSaysSomethingNew) {
  const Configuration first = next({}).value();
  const Configuration same = next_configuration(first, content(), kNow + Seconds(60)).value();
  EXPECT_EQ(same.version, 1);
  EXPECT_EQ(same.jws, first.jws);
  const Configuration second = next(same, {{"api.example", {}}}).value();
  EXPECT_EQ(second.version, 2);
  settings_.token_header = "X-Token";
  EXPECT_EQ(next(second, {{"api.example", {}}})->version, 3);
}

TEST_F(ConfigurationTest, IsReadBackOnlyUnderItsKey) {
  const Configuration made = next({}).value();
  auto read = parse_configuration(made.jws, key_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, 1);
  EXPECT_TRUE(parse_configuration(made.jws, crypto::EcKey::generate())
                  .error()
                  .is(ConfigurationError::kMalformed));
  EXPECT_FALSE(parse_configuration("", key_));
}

TEST_F(ConfigurationTest, MakesNoneThatAnAppWouldRefuse) {
  const auto refused = [this](const std::vector<model::ApiDomain>& apis) {
    return next({}, apis).error();
  };
  std::vector<model::ApiDomain> apis;
  for (std::size_t i = 0; i < protocol::kMaxApis; ++i) {
    apis.push_back({"api" + std::to_string(i) + ".example", {}});
  }
  auto fullest = next({}, apis);
  ASSERT_TRUE(fullest) << fullest.error().text();
  EXPECT_TRUE(protocol::decode_configuration(fullest->jws));
  apis.push_back({"one-more.example", {}});
  EXPECT_TRUE(refused(apis).is(ApiError::kTooMany)) << refused(apis).text();
  EXPECT_NE(refused(apis).message().find("257"), std::string::npos);
  apis.pop_back();
  for (model::ApiDomain& api : apis) api.pins.assign(protocol::kMaxPins, pin(7));
  EXPECT_TRUE(refused(apis).is(ApiError::kTooMany)) << refused(apis).text();
  const std::vector<std::string> pins(protocol::kMaxPins + 1, pin(7));
  EXPECT_TRUE(refused({{"a.example", pins}}).is(ApiError::kTooMany));

  settings_.token_prefix = "a\r\nb";
  EXPECT_TRUE(refused({}).is(protocol::ConfigError::kBadHeader));
  settings_.token_prefix = "";
  settings_.public_urls = {"https://u@localhost"};
  EXPECT_TRUE(refused({}).is(protocol::ConfigError::kBadUrl));
  settings_.public_urls = {"https://localhost"};
  settings_.service_pins = {"pin"};
  EXPECT_TRUE(configuration_content("account", settings_, {}, key_)
                  .error()
                  .is(protocol::ConfigError::kBadPin));
  settings_.service_pins.clear();
  EXPECT_TRUE(configuration_content("account", settings_, {{"a..b", {}}}, key_)
                  .error()
                  .is(protocol::ConfigError::kBadDomain));
}

// An operator can only put right what an older service made while the service runs.
TEST_F(ConfigurationTest, KeepsOneOfAnOlderServiceUntilItChanges) {
  const std::vector<model::ApiDomain> apis{{"a.example", {}},
                                           {"b.example", std::vector<std::string>(17, pin(7))}};
  protocol::Configuration old = content(apis);
  old.version = 4;
  old.issued = kNow;
  const Configuration stored{
      4, crypto::sign_es256(encode_configuration(old), key_, {{"typ", protocol::kConfigType}})};
  EXPECT_EQ(next(stored, apis)->version, 4);
  EXPECT_FALSE(next(stored, {apis[1]}));
  EXPECT_EQ(next(stored, {apis[0]})->version, 5);
}

TEST(NormalizeApi, TakesHostsInLowerCase) {
  const std::string pin = base64_encode(Bytes(32));
  EXPECT_EQ(normalize_api({"API.Example.com", {pin}})->domain, "api.example.com");
  EXPECT_EQ(normalize_api({"localhost:5001", {}})->domain, "localhost:5001");
  EXPECT_EQ(normalize_api({"10.0.0.1:65535", {}})->domain, "10.0.0.1:65535");
  EXPECT_EQ(normalize_api({"[0:0::1]:5001", {}})->domain, "[::1]:5001");
  EXPECT_EQ(normalize_api({"api.example.com.", {}})->domain, "api.example.com");
  EXPECT_EQ(normalize_api({"\xc3\xa4.example", {}})->domain, "xn--4ca.example");
}

TEST(NormalizeApi, RefusesWhatIsNoHost) {
  for (const char* domain :
       {"", ":80", "a:", "a:0", "a:65536", "a:080", "a:1:2", "https://a", "a/b", "a b", "a:x"}) {
    auto api = normalize_api({domain, {}});
    ASSERT_FALSE(api) << domain;
    EXPECT_TRUE(api.error().is(ApiError::kBadDomain)) << domain;
  }
  EXPECT_FALSE(normalize_api({std::string(254, 'a'), {}}));
}

TEST(NormalizeApi, RefusesWhatIsNoPin) {
  for (const std::string& pin :
       {std::string("x"), base64_encode(Bytes(31)), base64url_encode(Bytes(32)), std::string()}) {
    EXPECT_TRUE(normalize_api({"a", {pin}}).error().is(ApiError::kBadPin)) << pin;
  }
  EXPECT_FALSE(normalize_api({"a", std::vector<std::string>(33, base64_encode(Bytes(32)))}));
  EXPECT_TRUE(normalize_api({"a", std::vector<std::string>(16, base64_encode(Bytes(32)))}));
  EXPECT_TRUE(normalize_api({"a", std::vector<std::string>(17, base64_encode(Bytes(32)))})
                  .error()
                  .is(ApiError::kBadPin));
}

}  // namespace
}  // namespace touchmark::verifier::state
