// The keys of tokens as the service remembers them.
#include "verifier/state/key_sets.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "crypto/crypto.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::state {
namespace {

using appraisal::TokenKeyState;
using appraisal::TokenStatus;

class KeySetsTest : public ::testing::Test {
 protected:
  KeySetsTest() {
    keyring_.emplace(Keyring::open(*store_, Bytes(32, std::byte{5}), clock_, random_).value());
    sets_ = reopened();
  }
  std::unique_ptr<KeySets> reopened() {
    auto out = std::make_unique<KeySets>(audited_, *keyring_, mint_, random_);
    EXPECT_TRUE(out->load());
    return out;
  }
  std::string token(bool valid = true, const std::string& name = "default") {
    return sets_->example_token(valid, name, "192.0.2.1", "admin").value();
  }
  TokenStatus status(const std::string& text) { return sets_->check_token(text).status; }
  // "none:signing k12..:next"
  std::string states(const std::string& name = "default") {
    std::string out;
    const auto keys = sets_->keys();
    for (const auto& key : keys->find(name)->keys) {
      out += (key.kid().empty() ? "none" : "kid") + std::string(":") +
             std::string(to_string(key.state)) + " ";
    }
    return out;
  }

  testing::ManualClock clock_;
  testing::RepeatableRandom random_;
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  AuditedStore audited_{*store_, clock_};
  const appraisal::TokenMint mint_{{}};
  std::optional<Keyring> keyring_;
  std::unique_ptr<KeySets> sets_;
};

TEST_F(KeySetsTest, BeginsWithTheAccountsSecret) {
  EXPECT_EQ(states(), "none:signing ");
  EXPECT_EQ(sets_->secrets("default", "admin")->front().secrets()->secret, keyring_->token_secret);
  EXPECT_FALSE(*store_->get("secret.token-keys")) << "nothing is stored before a change";
  EXPECT_EQ(status(token()), TokenStatus::kValid);
  EXPECT_EQ(status(token(false)), TokenStatus::kInvalid);
}

TEST_F(KeySetsTest, ChangesInStepsThatRefuseNobody) {
  const std::string first = token();
  ASSERT_TRUE(sets_->rotate("default", std::nullopt, "alice"));
  EXPECT_EQ(states(), "none:signing kid:next ");
  EXPECT_EQ(sets_->secrets("default", "alice")->front().kid(), "") << "that signs, first";
  ASSERT_TRUE(sets_->promote("default", "alice"));
  EXPECT_EQ(states(), "none:old kid:signing ");
  EXPECT_NE(sets_->secrets("default", "alice")->front().kid(), "");
  const std::string second = token();
  EXPECT_EQ(status(first), TokenStatus::kValid);
  EXPECT_EQ(status(second), TokenStatus::kValid);
  sets_ = reopened();
  EXPECT_EQ(states(), "none:old kid:signing ");
  EXPECT_EQ(status(first), TokenStatus::kValid);
  EXPECT_EQ(status(second), TokenStatus::kValid);
  ASSERT_TRUE(sets_->remove_key("default", "", "alice"));
  EXPECT_EQ(status(first), TokenStatus::kForged);
  EXPECT_EQ(store_->audit_log(1)->front().action, "keyset.remove-key");
}

TEST_F(KeySetsTest, ComesBackAsItWas) {
  for (const auto algorithm : {crypto::SigningAlgorithm::kRs256, crypto::SigningAlgorithm::kEs256,
                               crypto::SigningAlgorithm::kEdDsa}) {
    const std::string name = "x" + std::to_string(static_cast<int>(algorithm));
    ASSERT_TRUE(sets_->add(name, algorithm, "alice"));
  }
  const auto made = sets_->make_long_lived("batch", Seconds(100), "alice");
  ASSERT_TRUE(made);
  std::vector<std::string> valid{made->token};
  std::vector<std::string> decoys;
  const auto keys = sets_->keys();
  for (const auto& set : keys->sets) {
    valid.push_back(token(true, set.name));
    decoys.push_back(token(false, set.name));
  }
  const Json jwks = sets_->jwks();
  EXPECT_EQ(jwks["keys"].size(), 4U);
  sets_ = reopened();
  EXPECT_EQ(sets_->jwks(), jwks);
  for (const std::string& one : valid) EXPECT_EQ(status(one), TokenStatus::kValid);
  for (const std::string& one : decoys) EXPECT_EQ(status(one), TokenStatus::kInvalid);
  clock_.advance(Seconds(100));
  EXPECT_EQ(sets_->jwks()["keys"].size(), 3U) << "a long-lived token's key ends with it";
}

TEST_F(KeySetsTest, IsSealed) {
  ASSERT_TRUE(sets_->add("partners", crypto::SigningAlgorithm::kEs256, "alice"));
  const Bytes sealed = (*store_->get("secret.token-keys")).value();
  EXPECT_EQ(as_text(sealed).find("partners"), std::string_view::npos);
  for (const std::size_t at : {std::size_t{0}, sealed.size() / 2, sealed.size() - 1}) {
    Bytes changed = sealed;
    changed[at] ^= std::byte{1};
    ASSERT_TRUE(store_->write([&](store::Transaction& transaction) {
      return transaction.put("secret.token-keys", changed);
    }));
    KeySets other(audited_, *keyring_, mint_, random_);
    EXPECT_TRUE(other.load().error().is(crypto::CryptoError::kSealBroken));
  }
}

TEST_F(KeySetsTest, RefusesWhatIsNoneOfThis) {
  for (const char* text :
       {"", "[]", "{}", R"({"sets":[],"long_lived":[]})",
        R"({"sets":[{"name":"x","keys":[]}],"long_lived":[]})",
        R"({"sets":[{"name":"default","keys":[{"kid":"","alg":"HS256"}]}],"long_lived":[]})",
        R"({"sets":[{"name":"default","keys":[{"kid":"","alg":"HS256","state":"signing","made":1,
            "actor":"a","key":"AAAA"}]}],"long_lived":[]})"}) {
    const Bytes sealed =
        crypto::seal(keyring_->token_keys_key, "secret.token-keys", as_bytes(text), random_);
    ASSERT_TRUE(store_->write([&](store::Transaction& transaction) {
      return transaction.put("secret.token-keys", sealed);
    }));
    KeySets other(audited_, *keyring_, mint_, random_);
    EXPECT_TRUE(other.load().error().is(KeySetError::kUnreadable)) << text;
  }
}

TEST_F(KeySetsTest, HasRoomForSoManyAndNoMore) {
  for (int i = 0; i < 31; ++i) {
    ASSERT_TRUE(sets_->add("x" + std::to_string(i), std::nullopt, "alice"));
  }
  EXPECT_TRUE(sets_->add("more", std::nullopt, "alice").error().is(KeySetError::kTooMany));
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(sets_->rotate("default", std::nullopt, "alice"));
    ASSERT_TRUE(sets_->promote("default", "alice"));
  }
  EXPECT_TRUE(sets_->rotate("default", std::nullopt, "alice").error().is(KeySetError::kTooMany));
}

// Attestations go on while an operator changes the keys.
TEST_F(KeySetsTest, IsReadWhileItChanges) {
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    const appraisal::TokenFacts facts{};
    testing::RepeatableRandom random;
    while (!stop) {
      const auto keys = sets_->keys();
      const std::string text =
          mint_.mint(keys->signing("default"), true, facts, clock_.now(), random);
      ASSERT_EQ(appraisal::check_token(*sets_->keys(), text, clock_.now()).status,
                TokenStatus::kValid);
    }
  });
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(sets_->rotate("default", std::nullopt, "alice"));
    ASSERT_TRUE(sets_->promote("default", "alice"));
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace touchmark::verifier::state
