#include "protocol/messages/configuration.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "protocol/limits.h"
#include "protocol/testing/vectors.h"

namespace touchmark::protocol {
namespace {

Sha256Digest pin(std::uint8_t fill) {
  Sha256Digest out;
  out.fill(std::byte{fill});
  return out;
}

class ConfigurationMessageTest : public ::testing::Test {
 protected:
  Configuration sample() const {
    return {.account = "account",
            .version = 7,
            .issued = from_unix(1'790'000'000),
            .urls = {"https://one.example:8443", "https://[::1]:5001"},
            .service_pins = {pin(1), pin(2)},
            .retry = {.attempts = 2,
                      .initial = std::chrono::milliseconds(1),
                      .max = std::chrono::milliseconds(2),
                      .timeout = std::chrono::milliseconds(100)},
            .apis = {{{"api.example.com", {}}, {pin(3)}},
                     {{"localhost", 5001}, {}},
                     {{"::1", 443}, {}},
                     {{"xn--bcher-kva.example", {}}, {}}},
            .token_header = "Touchmark-Token",
            .token_prefix = "Bearer ",
            .key = key_};
  }
  // What both sides say of a configuration that a change made bad: the same.
  ConfigError refusal(const std::function<void(Configuration&)>& change) const {
    Configuration configuration = sample();
    change(configuration);
    const auto made = sign_configuration(configuration);
    const auto taken = decode_configuration(crypto::sign_es256(
        encode_configuration(configuration), key_, {{"typ", "touchmark-config+jwt"}}));
    EXPECT_FALSE(made);
    EXPECT_FALSE(taken);
    if (made || taken) return ConfigError::kNotNewer;
    EXPECT_EQ(made.error().id(), taken.error().id());
    EXPECT_EQ(made.error().message(), taken.error().message());
    for (const ConfigError error : {ConfigError::kMalformed, ConfigError::kBadUrl,
                                    ConfigError::kBadDomain, ConfigError::kBadHeader}) {
      if (made.error().is(error)) return error;
    }
    ADD_FAILURE() << made.error().text();
    return ConfigError::kNotNewer;
  }
  crypto::EcKey key_ = crypto::EcKey::generate();
};

TEST_F(ConfigurationMessageTest, IsReadBackAsItWasMade) {
  const auto made = sign_configuration(sample());
  ASSERT_TRUE(made) << made.error().text();
  const auto read = decode_configuration(*made);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(encode_configuration(*read), encode_configuration(sample()));
  EXPECT_EQ(read->account, "account");
  EXPECT_EQ(read->version, 7);
  EXPECT_EQ(read->issued, from_unix(1'790'000'000));
  EXPECT_EQ(read->urls, sample().urls);
  EXPECT_EQ(read->service_pins, sample().service_pins);
  EXPECT_EQ(read->retry, sample().retry);
  EXPECT_EQ(read->apis, sample().apis);
  EXPECT_EQ(read->token_header, "Touchmark-Token");
  EXPECT_EQ(read->token_prefix, "Bearer ");
  EXPECT_EQ(read->key.public_der(), key_.public_der());
}

TEST_F(ConfigurationMessageTest, TheGoldenVectorIsReadAndMadeAgain) {
  const Json vector = testing::read_vector("config.json");
  const std::string jws = vector["jws"];
  const auto read = decode_configuration(jws);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(encode_configuration(*read), vector["payload"]);
  Configuration again = *read;
  again.key = crypto::EcKey::from_private_pem(vector["config_key_pem"].get<std::string>()).value();
  const std::string made = sign_configuration(again).value();
  EXPECT_EQ(made.substr(0, made.rfind('.')), jws.substr(0, jws.rfind('.')));
}

TEST_F(ConfigurationMessageTest, IsNotMadeWhenItWouldBeRefused) {
  using enum ConfigError;
  EXPECT_EQ(refusal([](auto& c) { c.account.assign(kMaxAccount + 1, 'a'); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.version = 0; }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.urls.clear(); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.urls.assign(kMaxUrls + 1, "https://a"); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.urls = {"http://a"}; }), kBadUrl);
  EXPECT_EQ(refusal([](auto& c) { c.urls = {"https://a?b"}; }), kBadUrl);
  EXPECT_EQ(refusal([](auto& c) { c.service_pins.assign(kMaxPins + 1, {}); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.retry.attempts = 0; }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.retry.timeout = std::chrono::milliseconds(99); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.apis[0].pins.assign(kMaxPins + 1, {}); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.apis.assign(kMaxApis + 1, {{"a", {}}, {}}); }), kMalformed);
  EXPECT_EQ(refusal([](auto& c) { c.apis[0].domain.host = "a b"; }), kBadDomain);
  EXPECT_EQ(refusal([](auto& c) { c.apis[0].domain.host = "\xc3\xa4.example"; }), kBadDomain);
  EXPECT_EQ(refusal([](auto& c) { c.token_header = ""; }), kBadHeader);
  EXPECT_EQ(refusal([](auto& c) { c.token_prefix = "a\r\nb"; }), kBadHeader);
  EXPECT_EQ(refusal([](auto& c) { c.token_prefix.assign(kMaxHeaderText + 1, 'a'); }), kMalformed);
}

TEST_F(ConfigurationMessageTest, IsNotMadeWhenItIsTooLarge) {
  Configuration configuration = sample();
  configuration.apis.assign(kMaxApis, {{"a.example", {}}, PinSet(kMaxPins, pin(1))});
  const auto made = sign_configuration(configuration);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().is(ConfigError::kTooLarge)) << made.error().text();
}

TEST_F(ConfigurationMessageTest, AKeyThatItDoesNotNameIsNotItsKey) {
  const std::string made = sign_configuration(sample()).value();
  const crypto::EcKey other = crypto::EcKey::generate();
  EXPECT_TRUE(decode_configuration(made, other).error().is(ConfigError::kBadSignature));
  const std::string foreign =
      crypto::sign_es256(encode_configuration(sample()), other, {{"typ", "touchmark-config+jwt"}});
  EXPECT_TRUE(decode_configuration(foreign, other).error().is(ConfigError::kWrongKey));
}

TEST_F(ConfigurationMessageTest, UpdatesAreNewerAndOfTheSameAccount) {
  const Configuration current = sample();
  Configuration next = sample();
  const auto update = [&] {
    return decode_configuration_update(sign_configuration(next).value(), current);
  };
  EXPECT_TRUE(update().error().is(ConfigError::kNotNewer));
  next.version = 8;
  EXPECT_EQ(update()->version, 8);
  next.account = "other";
  EXPECT_TRUE(update().error().is(ConfigError::kWrongAccount));
}

TEST(PinsTest, AreThePaddedBase64Of32Bytes) {
  const std::string good = base64_encode(pin(1));
  EXPECT_EQ(parse_pins({good, good}, "x").value(), (PinSet{pin(1), pin(1)}));
  for (const std::string& text :
       {std::string(), std::string("x"), base64url_encode(Bytes(32)), base64_encode(Bytes(31))}) {
    const auto pins = parse_pins({good, text}, "a.example");
    ASSERT_FALSE(pins) << text;
    EXPECT_TRUE(pins.error().is(ConfigError::kBadPin));
    EXPECT_NE(pins.error().message().find("a.example"), std::string::npos);
  }
}

}  // namespace
}  // namespace touchmark::protocol
