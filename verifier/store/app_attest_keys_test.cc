// App Attest keys in the store: counters that only rise, over restarts and replicas.
#include "verifier/model/app_attest_keys.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/support/temporary_folder.h"
#include "verifier/store/database.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {
namespace {

namespace fs = std::filesystem;
using enum model::AppAttestUse;

class AppAttestKeysTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open() const {
    auto store = open_sqlite((folder_ / "touchmark.db").string());
    EXPECT_TRUE(store) << store.error().text();
    return std::move(*store);
  }

  const touchmark::testing::TemporaryFolder folder_;
  const Sha256Digest id_{std::byte{1}, std::byte{2}};
  const model::AppAttestKey key_{Bytes(91, std::byte{7}), true, 4};
  const Sha256Digest installation_{std::byte{3}};
  const Sha256Digest other_{std::byte{4}};
};

TEST_F(AppAttestKeysTest, KeepsWhatTheAttestationSaid) {
  ASSERT_TRUE(open()->add_app_attest_key(id_, key_, installation_).value());
  auto store = open();
  EXPECT_EQ(store->app_attest_key(id_).value(), key_);
  EXPECT_EQ(store->app_attest_key(Sha256Digest{}).value(), std::nullopt);
  const model::AppAttestKey plain{Bytes(91), false, std::nullopt};
  ASSERT_TRUE(store->add_app_attest_key(Sha256Digest{}, plain, installation_).value());
  EXPECT_EQ(store->app_attest_key(Sha256Digest{}).value(), plain);
}

TEST_F(AppAttestKeysTest, CountersOnlyRise) {
  auto store = open();
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, 1).value(), kOtherKey);  // unknown
  ASSERT_TRUE(store->add_app_attest_key(id_, key_, installation_).value());
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, 0).value(), kReplayed);
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, 1).value(), kTaken);
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, 1).value(), kReplayed);
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, UINT32_MAX).value(), kTaken);
  // The attestation, shown again, does not set the counter back; nor does a restart.
  ASSERT_TRUE(store->add_app_attest_key(id_, key_, installation_).value());
  store = open();
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, UINT32_MAX).value(), kReplayed);
}

TEST_F(AppAttestKeysTest, VouchesForTheFirstInstallationKeyOnly) {
  auto store = open();
  ASSERT_TRUE(store->add_app_attest_key(id_, key_, installation_).value());
  EXPECT_FALSE(store->add_app_attest_key(id_, key_, other_).value());
  EXPECT_EQ(store->use_app_attest_key(id_, other_, 1).value(), kOtherKey);
  store = open();
  EXPECT_EQ(store->use_app_attest_key(id_, other_, 9).value(), kOtherKey);
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, 1).value(), kTaken)
      << "nothing was spent";
}

TEST_F(AppAttestKeysTest, AKeyOfBeforeIsBoundByItsFirstUse) {
  const auto unbind = [&] {
    auto database = Database::open((folder_ / "touchmark.db").string());
    ASSERT_TRUE(database) << database.error().text();
    ASSERT_TRUE(database->execute("UPDATE app_attest_key SET installation = NULL"));
  };
  ASSERT_TRUE(open()->add_app_attest_key(id_, key_, installation_).value());
  unbind();
  auto store = open();
  EXPECT_EQ(store->use_app_attest_key(id_, other_, 0).value(), kOtherKey)
      << "a replay binds nothing";
  EXPECT_EQ(store->use_app_attest_key(id_, other_, 1).value(), kTaken);
  EXPECT_EQ(store->use_app_attest_key(id_, installation_, 2).value(), kOtherKey);
  store.reset();
  unbind();
  store = open();
  EXPECT_TRUE(store->add_app_attest_key(id_, key_, installation_).value());
  EXPECT_FALSE(store->add_app_attest_key(id_, key_, other_).value());
}

TEST_F(AppAttestKeysTest, OfTwoReplicasOnlyOneTakesACounter) {
  auto first = open();
  auto second = open();
  ASSERT_TRUE(first->add_app_attest_key(id_, key_, installation_).value());
  constexpr std::uint32_t kCounters = 50;
  std::atomic<int> taken = 0;
  const auto work = [&](Store& store) {
    for (std::uint32_t counter = 1; counter <= kCounters; ++counter) {
      const auto result = store.use_app_attest_key(id_, installation_, counter);
      ASSERT_TRUE(result) << result.error().text();
      if (*result == kTaken) ++taken;
    }
  };
  std::thread one([&] { work(*first); });
  std::thread two([&] { work(*second); });
  one.join();
  two.join();
  EXPECT_LE(taken, static_cast<int>(kCounters));
  EXPECT_EQ(first->use_app_attest_key(id_, installation_, kCounters).value(), kReplayed);
}

TEST_F(AppAttestKeysTest, OfTwoReplicasOnlyOneBindsAKey) {
  auto first = open();
  auto second = open();
  for (std::uint8_t round = 0; round < 50; ++round) {
    const Sha256Digest id{std::byte{round}};
    std::atomic<int> bound = 0;
    const auto work = [&](Store& store, const Sha256Digest& installation) {
      const auto result = store.add_app_attest_key(id, key_, installation);
      ASSERT_TRUE(result) << result.error().text();
      if (*result) ++bound;
    };
    std::thread one([&] { work(*first, installation_); });
    std::thread two([&] { work(*second, other_); });
    one.join();
    two.join();
    EXPECT_EQ(bound, 1);
  }
}

}  // namespace
}  // namespace touchmark::verifier::store
