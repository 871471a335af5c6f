// App Attest keys in the store: counters that only rise, over restarts and replicas.
#include "verifier/model/app_attest_keys.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "verifier/store/store.h"

namespace touchmark::verifier::store {
namespace {

namespace fs = std::filesystem;

class AppAttestKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/touchmark-keys-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::unique_ptr<Store> open() const {
    auto store = open_sqlite((folder_ / "touchmark.db").string());
    EXPECT_TRUE(store) << store.error().text();
    return std::move(*store);
  }

  fs::path folder_;
  const Sha256Digest id_{std::byte{1}, std::byte{2}};
  const model::AppAttestKey key_{Bytes(91, std::byte{7}), true, 4};
};

TEST_F(AppAttestKeysTest, KeepsWhatTheAttestationSaid) {
  ASSERT_TRUE(open()->add_app_attest_key(id_, key_));
  auto store = open();
  EXPECT_EQ(store->app_attest_key(id_).value(), key_);
  EXPECT_EQ(store->app_attest_key(Sha256Digest{}).value(), std::nullopt);
  const model::AppAttestKey plain{Bytes(91), false, std::nullopt};
  ASSERT_TRUE(store->add_app_attest_key(Sha256Digest{}, plain));
  EXPECT_EQ(store->app_attest_key(Sha256Digest{}).value(), plain);
}

TEST_F(AppAttestKeysTest, CountersOnlyRise) {
  auto store = open();
  EXPECT_FALSE(store->advance_app_attest_counter(id_, 1).value());  // an unknown key
  ASSERT_TRUE(store->add_app_attest_key(id_, key_));
  EXPECT_FALSE(store->advance_app_attest_counter(id_, 0).value());
  EXPECT_TRUE(store->advance_app_attest_counter(id_, 1).value());
  EXPECT_FALSE(store->advance_app_attest_counter(id_, 1).value());
  EXPECT_TRUE(store->advance_app_attest_counter(id_, UINT32_MAX).value());
  // The attestation, shown again, does not set the counter back; nor does a restart.
  ASSERT_TRUE(store->add_app_attest_key(id_, key_));
  store = open();
  EXPECT_FALSE(store->advance_app_attest_counter(id_, UINT32_MAX).value());
}

TEST_F(AppAttestKeysTest, OfTwoReplicasOnlyOneTakesACounter) {
  auto first = open();
  auto second = open();
  ASSERT_TRUE(first->add_app_attest_key(id_, key_));
  constexpr std::uint32_t kCounters = 50;
  std::atomic<int> taken = 0;
  const auto work = [&](Store& store) {
    for (std::uint32_t counter = 1; counter <= kCounters; ++counter) {
      const auto result = store.advance_app_attest_counter(id_, counter);
      ASSERT_TRUE(result) << result.error().text();
      if (*result) ++taken;
    }
  };
  std::thread one([&] { work(*first); });
  std::thread two([&] { work(*second); });
  one.join();
  two.join();
  EXPECT_LE(taken, static_cast<int>(kCounters));
  EXPECT_FALSE(first->advance_app_attest_counter(id_, kCounters).value());
}

}  // namespace
}  // namespace touchmark::verifier::store
