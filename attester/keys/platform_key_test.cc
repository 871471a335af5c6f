// The installation key in a platform's key store: made once, with a challenge, and replaced only
// when it is gone.
#include "attester/keys/platform_key.h"

#include <future>

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
    return std::make_unique<KeyRing>(std::move(*keys), make_software_keys(storage_, random_),
                                     storage_, clock_);
  }
  void advance(std::chrono::seconds by) { time_->fetch_add(std::chrono::milliseconds(by).count()); }

  FakePlatform platform_;
  touchmark::testing::TemporaryFolder dir_;
  Storage storage_ = *Storage::open(dir_.path());
  SystemRandom random_;
  std::shared_ptr<std::atomic<std::int64_t>> time_ = std::make_shared<std::atomic<std::int64_t>>(0);
  testing::FakeBootClock clock_{time_};
  const Bytes nonce_ = Bytes(40, std::byte{3});
};

TEST_F(PlatformKeyTest, IsMadeWithTheFirstChallengeAndKept) {
  auto first = ring();
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
  EXPECT_EQ(second->device_id(), first->device_id());
  ASSERT_TRUE(second->key_for(Bytes(40)));
  EXPECT_EQ(platform_.challenges.size(), 1U);
  // No private key lies in the app's folder.
  EXPECT_FALSE(std::filesystem::exists(dir_.path() / "installation.key"));
}

TEST_F(PlatformKeyTest, SignsAsJoseWants) {
  auto keys = ring();
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
  const auto key = *keys->key_for(nonce_);
  platform_.signs_with_another_key = true;
  const auto signature = key->sign(nonce_);
  ASSERT_FALSE(signature);
  EXPECT_TRUE(signature.error().is(ClientError::kKeyLost));
}

TEST_F(PlatformKeyTest, TheSoftwareKeyStandsInAndSaysSo) {
  platform_.make_status = TOUCHMARK_KEY_FAILED;
  auto keys = ring();
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
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "software");
  EXPECT_TRUE(platform_.challenges.empty());
}

// An app opens its client on its main thread, which must not wait for the hardware.
TEST_F(PlatformKeyTest, ThePlatformIsAskedWhenItsKeyIsNeeded) {
  platform_.key = crypto::EcKey::generate();
  auto keys = ring();
  EXPECT_EQ(platform_.loads, 0);
  EXPECT_EQ(keys->device_id(), protocol::device_id(*platform_.key));
  EXPECT_EQ(keys->device_id(), protocol::device_id(*platform_.key));
  EXPECT_EQ(platform_.loads, 1);
  ASSERT_TRUE(keys->key_for(nonce_));
  EXPECT_EQ(platform_.loads, 1);
}

// A phone before its first unlock, a daemon that restarts, hardware that is busy.
TEST_F(PlatformKeyTest, APlatformThatRecoversIsUsedWithoutARestart) {
  platform_.key = crypto::EcKey::generate();
  platform_.cannot_load = true;
  auto keys = ring();
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "software");
  EXPECT_NE(keys->note().find("out of order"), std::string::npos);
  const std::string stand_in = keys->device_id();
  platform_.cannot_load = false;
  // It is left alone for a while.
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "software");
  EXPECT_EQ(platform_.loads, 1);
  advance(KeyRing::kFirstWait);
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "fake-keystore");
  EXPECT_TRUE(platform_.challenges.empty());
  EXPECT_EQ(keys->device_id(), protocol::device_id(*platform_.key));
  EXPECT_NE(keys->device_id(), stand_in);
  EXPECT_EQ(keys->note(), "");
}

TEST_F(PlatformKeyTest, APlatformThatNeverWorksIsAskedLessAndLess) {
  platform_.load_failure = TOUCHMARK_KEY_FAILED;
  auto keys = ring();
  const std::chrono::hours day(24);
  for (std::chrono::seconds passed{0}; passed < day; passed += KeyRing::kFirstWait) {
    EXPECT_EQ((*keys->key_for(nonce_))->protection(), "software");
    advance(KeyRing::kFirstWait);
  }
  EXPECT_GE(platform_.loads, day / KeyRing::kLongestWait);
  EXPECT_LE(platform_.loads, day / KeyRing::kLongestWait + 10);
}

TEST_F(PlatformKeyTest, AKeyThatCannotSignNowIsKept) {
  auto keys = ring();
  const auto key = *keys->key_for(nonce_);
  const std::string id = keys->device_id();
  platform_.cannot_sign = true;
  const auto signature = key->sign(nonce_);
  ASSERT_FALSE(signature);
  EXPECT_TRUE(signature.error().is(ClientError::kKeyFailed));
  keys->set_aside(key, signature.error());
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "software");
  EXPECT_NE(keys->note().find("sign: out of order"), std::string::npos);
  advance(KeyRing::kFirstWait);
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "fake-keystore");
  EXPECT_EQ(keys->device_id(), id);
  EXPECT_EQ(platform_.challenges.size(), 1U);
}

TEST_F(PlatformKeyTest, AKeyThatNeverSignsIsReplaced) {
  auto keys = ring();
  int made_for = 0;
  for (int i = 0; i < 2 * KeyRing::kMaxFailures; ++i) {
    const auto key = *keys->key_for(nonce_);
    ASSERT_EQ(key->protection(), "fake-keystore") << i;
    if (made_for == 0 && platform_.challenges.size() == 2) made_for = i;
    keys->set_aside(key, Error(ClientError::kKeyFailed, "sign: out of order"));
    advance(KeyRing::kLongestWait);
  }
  EXPECT_EQ(made_for, KeyRing::kMaxFailures);
  // One that works now and then is not.
  const auto key = *keys->key_for(nonce_);
  const std::size_t made = platform_.challenges.size();
  keys->worked(key);
  for (int i = 0; i < 4 * KeyRing::kMaxFailures; ++i) {
    const auto again = *keys->key_for(nonce_);
    i % 2 == 0 ? keys->worked(again)
               : keys->set_aside(again, Error(ClientError::kKeyFailed, "busy"));
    advance(KeyRing::kLongestWait);
  }
  EXPECT_EQ(platform_.challenges.size(), made);
}

TEST_F(PlatformKeyTest, APlatformThatLosesEachKeyIsNotAskedForOneKeyAfterTheOther) {
  auto keys = ring();
  for (int i = 0; i < 100; ++i) {
    const auto key = *keys->key_for(nonce_);
    if (key->protection() == "software") continue;
    platform_.key.reset();
    keys->drop(key);
  }
  EXPECT_EQ(platform_.challenges.size(), 2U);
  EXPECT_NE(keys->note().find("client.key-lost"), std::string::npos);
  advance(KeyRing::kFirstWait);
  EXPECT_EQ((*keys->key_for(nonce_))->protection(), "fake-keystore");
}

// `android:process=":remote"`: two processes have one folder and one key store.
TEST_F(PlatformKeyTest, TheKeyOfAnotherProcessIsTakenAndNotReplaced) {
  auto one = ring();
  auto other = ring();
  EXPECT_EQ(other->device_id(), "");
  ASSERT_TRUE(one->key_for(nonce_));
  ASSERT_TRUE(other->key_for(nonce_));
  EXPECT_EQ(platform_.challenges.size(), 1U);
  EXPECT_EQ(one->device_id(), other->device_id());
  // The same where the key was lost, and the other process has made the next one already.
  const auto lost = *one->key_for(nonce_);
  const auto others = *other->key_for(nonce_);
  platform_.key.reset();
  one->drop(lost);
  ASSERT_TRUE(one->key_for(nonce_));
  other->drop(others);
  ASSERT_TRUE(other->key_for(nonce_));
  EXPECT_EQ(platform_.challenges.size(), 2U);
}

TEST_F(PlatformKeyTest, WhoMakesAKeyHoldsTheFolder) {
  const FolderLock held = storage_.lock();
  ASSERT_TRUE(held.held());
  auto keys = ring();
  auto made = std::async(std::launch::async, [&] { return keys->key_for(nonce_).has_value(); });
  EXPECT_EQ(made.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  EXPECT_EQ(platform_.made, 0);
  // A process that never lets go, since the system has frozen it, holds up nobody for good.
  EXPECT_TRUE(made.get());
  EXPECT_EQ(platform_.challenges.size(), 1U);
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
