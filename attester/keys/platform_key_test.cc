// The installation key in a platform's key store: made once, with a challenge, and replaced only
// when it is gone.
#include "attester/keys/platform_key.h"

#include "attester/testing/platform.h"
#include "attester/testing/testing.h"
#include "base/file.h"
#include "protocol/device_id.h"
#include "protocol/hardware_binding.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::keys {
namespace {

using testing::FakePlatform;

class PlatformKeyTest : public ::testing::Test {
 protected:
  std::unique_ptr<KeyRing> ring() {
    auto keys = make_platform_keys(platform_.provider(), "acct");
    EXPECT_TRUE(keys) << keys.error().text();
    return std::make_unique<KeyRing>(std::move(*keys), make_software_keys(storage_, random_));
  }

  FakePlatform platform_;
  touchmark::testing::TemporaryFolder dir_;
  Storage storage_ = *Storage::open(dir_.path());
  SystemRandom random_;
  const Bytes nonce_ = Bytes(40, std::byte{3});
};

TEST_F(PlatformKeyTest, IsMadeWithTheFirstChallengeAndKept) {
  auto first = ring();
  ASSERT_TRUE(first->load());
  EXPECT_EQ(first->device_id(), "");
  EXPECT_TRUE(platform_.challenges.empty());
  const auto key = first->key_for(nonce_);
  ASSERT_TRUE(key);
  EXPECT_EQ(platform_.challenges, std::vector<Bytes>{nonce_});
  EXPECT_EQ(platform_.account, "acct");
  EXPECT_EQ((*key)->protection(), "fake-keystore");
  EXPECT_EQ(first->device_id(), protocol::device_id(*platform_.key));
  EXPECT_EQ(first->note(), "");

  auto second = ring();
  ASSERT_TRUE(second->load());
  EXPECT_EQ(second->device_id(), first->device_id());
  ASSERT_TRUE(second->key_for(Bytes(40)));
  EXPECT_EQ(platform_.challenges.size(), 1U);
  // No private key lies in the app's folder.
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "installation.key"));
}

TEST_F(PlatformKeyTest, SignsAsJoseWants) {
  auto keys = ring();
  ASSERT_TRUE(keys->load());
  const auto key = *keys->key_for(nonce_);
  // Often enough for numbers of every length.
  for (int i = 0; i < 300; ++i) {
    const Bytes data = to_bytes("data " + std::to_string(i));
    const auto signature = key->sign(data);
    ASSERT_TRUE(signature) << signature.error().text();
    EXPECT_TRUE(platform_.key->verify(data, *signature));
  }
}

TEST_F(PlatformKeyTest, GivesEvidenceBoundToTheChallengeAndTheKey) {
  auto keys = ring();
  ASSERT_TRUE(keys->load());
  const auto key = *keys->key_for(nonce_);
  const Json evidence = keys->evidence(key, nonce_)["fake"];
  EXPECT_EQ(evidence["own"], true);
  const Bytes spki = platform_.key->public_der();
  EXPECT_EQ(evidence["nonce"], base64url_encode(nonce_));
  EXPECT_EQ(evidence["hash"], base64_encode(protocol::app_attest_client_data_hash(nonce_, spki)));
  EXPECT_EQ(evidence["play"], base64url_encode(protocol::play_integrity_hash(nonce_, spki)));
  platform_.gives_evidence = false;
  EXPECT_EQ(keys->evidence(key, nonce_), Json::object());
}

TEST_F(PlatformKeyTest, IsReplacedOnceThePlatformHasLostIt) {
  auto keys = ring();
  ASSERT_TRUE(keys->load());
  const auto lost = *keys->key_for(nonce_);
  const std::string first_id = keys->device_id();
  platform_.key.reset();
  const auto signature = lost->sign(nonce_);
  ASSERT_FALSE(signature);
  EXPECT_TRUE(signature.error().is(ClientError::kKeyLost));
  keys->drop(lost);
  ASSERT_TRUE(keys->key_for(nonce_));
  EXPECT_EQ(platform_.challenges.size(), 2U);
  EXPECT_NE(keys->device_id(), first_id);
}

TEST_F(PlatformKeyTest, AKeyThatDoesNotMatchItsPublicHalfIsLost) {
  auto keys = ring();
  ASSERT_TRUE(keys->load());
  const auto key = *keys->key_for(nonce_);
  platform_.signs_with_another_key = true;
  const auto signature = key->sign(nonce_);
  ASSERT_FALSE(signature);
  EXPECT_TRUE(signature.error().is(ClientError::kKeyLost));
}

TEST_F(PlatformKeyTest, TheSoftwareKeyStandsInAndSaysSo) {
  platform_.make_status = TOUCHMARK_KEY_FAILED;
  auto keys = ring();
  ASSERT_TRUE(keys->load());
  const auto key = keys->key_for(nonce_);
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)->protection(), "software");
  // Others than the key store can vouch for the phone all the same, and for this key.
  const Json evidence = keys->evidence(*key, nonce_)["fake"];
  EXPECT_EQ(evidence["own"], false);
  EXPECT_EQ(evidence["hash"], base64_encode(protocol::app_attest_client_data_hash(
                                  nonce_, (*key)->public_key().public_der())));
  EXPECT_EQ(keys->note(), "client.key-failed: the platform's key store, make: out of order");
}

// A key store that is only unwell now must not lose the key of an earlier run.
TEST_F(PlatformKeyTest, APlatformThatFailsNowKeepsItsKey) {
  platform_.load_failure = TOUCHMARK_KEY_FAILED;
  auto keys = ring();
  ASSERT_TRUE(keys->load());
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "software");
  EXPECT_TRUE(platform_.challenges.empty());
}

TEST_F(PlatformKeyTest, AnIncompleteProviderIsRefused) {
  touchmark_key_provider provider = platform_.provider();
  provider.sign = nullptr;
  EXPECT_FALSE(make_platform_keys(provider, "acct"));
  provider = platform_.provider();
  provider.size = 8;
  EXPECT_FALSE(make_platform_keys(provider, "acct"));
}

TEST(Es256Signature, TakesOnlyTwoNumbersOfP256) {
  const Bytes good = testing::der_signature(crypto::EcKey::generate().sign(as_bytes("data")));
  EXPECT_TRUE(es256_signature(good));
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(es256_signature(longer));
  EXPECT_FALSE(es256_signature(ByteView(good).first(good.size() - 1)));
  EXPECT_FALSE(es256_signature({}));
  Bytes wide = {std::byte{0x30}, std::byte{40}, std::byte{2}, std::byte{35}};
  wide.insert(wide.end(), 35, std::byte{1});
  append(wide, Bytes{std::byte{2}, std::byte{1}, std::byte{1}});
  EXPECT_FALSE(es256_signature(wide));
}

}  // namespace
}  // namespace touchmark::attester::keys
