#include "verifier/state/configuration.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"

namespace touchmark::verifier::state {
namespace {

constexpr UnixTime kNow{Seconds(1'790'000'000)};

class ConfigurationTest : public ::testing::Test {
 protected:
  ConfigurationTest() {
    settings_.public_urls = {"https://localhost:8443"};
    settings_.service_pins = {"pin", "backup"};
  }
  Json content(const std::vector<model::ApiDomain>& apis = {}) const {
    return configuration_content("account", settings_, apis, key_);
  }
  ServiceSettings settings_;
  crypto::EcKey key_ = crypto::EcKey::generate();
};

TEST_F(ConfigurationTest, SaysEverythingTheSdkNeeds) {
  const Configuration made = next_configuration({}, content({{"api.example", {"a"}}}), key_, kNow);
  EXPECT_EQ(made.version, 1);
  auto opened = crypto::verify_es256(made.jws, key_, "touchmark-config+jwt");
  ASSERT_TRUE(opened) << opened.error().text();
  const Json& payload = opened->payload;
  EXPECT_EQ(payload["account"], "account");
  EXPECT_EQ(payload["version"], 1);
  EXPECT_EQ(payload["issued"], 1'790'000'000);
  EXPECT_EQ(payload["service"].dump(),
            R"({"pins":["pin","backup"],"urls":["https://localhost:8443"]})");
  EXPECT_EQ(payload["api"].dump(), R"([{"domain":"api.example","pins":["a"]}])");
  EXPECT_EQ(payload["token"].dump(), R"({"header":"Touchmark-Token","prefix":""})");
  EXPECT_EQ(payload["config_key"], crypto::to_jwk(key_));
  EXPECT_TRUE(payload["retry"].contains("attempts"));
}

TEST_F(ConfigurationTest, CountsUpOnlyWhenItSaysSomethingNew) {
  const Configuration first = next_configuration({}, content(), key_, kNow);
  const Configuration same = next_configuration(first, content(), key_, kNow + Seconds(60));
  EXPECT_EQ(same.version, 1);
  EXPECT_EQ(same.jws, first.jws);
  const Configuration second =
      next_configuration(same, content({{"api.example", {}}}), key_, kNow + Seconds(60));
  EXPECT_EQ(second.version, 2);
  settings_.token_header = "X-Token";
  EXPECT_EQ(next_configuration(second, content({{"api.example", {}}}), key_, kNow).version, 3);
}

TEST_F(ConfigurationTest, IsReadBackOnlyUnderItsKey) {
  const Configuration made = next_configuration({}, content(), key_, kNow);
  auto read = parse_configuration(made.jws, key_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, 1);
  EXPECT_TRUE(parse_configuration(made.jws, crypto::EcKey::generate())
                  .error()
                  .is(ConfigurationError::kMalformed));
  EXPECT_FALSE(parse_configuration("", key_));
}

TEST(NormalizeApi, TakesHostsInLowerCase) {
  const std::string pin = base64_encode(Bytes(32));
  EXPECT_EQ(normalize_api({"API.Example.com", {pin}})->domain, "api.example.com");
  EXPECT_EQ(normalize_api({"localhost:5001", {}})->domain, "localhost:5001");
  EXPECT_EQ(normalize_api({"10.0.0.1:65535", {}})->domain, "10.0.0.1:65535");
}

TEST(NormalizeApi, RefusesWhatIsNoHost) {
  for (const char* domain : {"", ":80", "a:", "a:0", "a:65536", "a:080", "a:1:2", "https://a",
                             "a/b", "a b", "ä.example", "a:x"}) {
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
}

}  // namespace
}  // namespace touchmark::verifier::state
