// What is there beside a database may be missing or another: nothing is made again in silence.
#include "cli/serve/kept_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "tests/support/temporary_folder.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using verifier::state::KnownKeys;

std::string pin_number(int number) { return base64_encode(Bytes(32, std::byte(number))); }
const std::string kServing = pin_number(1);
const std::string kBackup = pin_number(2);
const std::string kOther = pin_number(3);

class KeptKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.emplace(std::move(DataFolder::open(temporary_.path() / "data").value()));
    put("touchmark.db");
    put("tls-key.pem");
    put("tls-backup.pin");
    put("tls-backup-key.pem");
  }
  void put(const char* name, const char* content = "x") {
    std::ofstream(folder_->path() / name) << content;
  }
  void lose(const char* name) { fs::remove(folder_->path() / name); }
  std::string missing(const KeyUse& use = {}) {
    auto checked = check_key_files(*folder_, known_, use);
    if (checked) return "";
    EXPECT_TRUE(checked.error().is(KeptKeysError::kKeyMissing)) << checked.error().text();
    return checked.error().message();
  }
  void register_certificate() {
    verifier::model::SigningCertificate certificate;
    certificate.id = "cert-0123456789abcdef";
    ASSERT_TRUE(store_->write([&](verifier::store::Transaction& transaction) {
      return transaction.put_certificate(certificate);
    }));
  }
  std::string refused(const std::string& serving, const std::string& backup,
                      const KeyUse& use = {}) {
    auto checked = check_keys(known_, use, serving, backup, *store_);
    if (checked) return "";
    EXPECT_TRUE(checked.error().is(KeptKeysError::kOtherKey)) << checked.error().text();
    return checked.error().message();
  }

  const touchmark::testing::TemporaryFolder temporary_;
  std::optional<DataFolder> folder_;
  std::unique_ptr<verifier::store::Store> store_ =
      std::move(verifier::store::open_sqlite(":memory:").value());
  KnownKeys known_{true, true, kServing, kBackup, kServing, {kServing, kBackup}};
};

TEST_F(KeptKeysTest, NameAMissingTlsKeyAndTheWaysOut) {
  EXPECT_EQ(missing(), "");
  lose("tls-key.pem");
  for (const bool recorded : {true, false}) {
    known_.recorded = recorded;
    if (!recorded) known_.folder.clear();
    EXPECT_THAT(missing(), HasSubstr((folder_->path() / "tls-key.pem").string()));
    EXPECT_THAT(missing(), HasSubstr("lock every installed app out"));
    EXPECT_THAT(missing(), HasSubstr("tls-backup-key.pem"));
    EXPECT_THAT(missing(), HasSubstr("--give-up-pin " + kServing));
    EXPECT_EQ(missing({.given_up = {kServing}}), "");
    EXPECT_NE(missing({.given_up = {kBackup}}), "");
    EXPECT_EQ(missing({.is_given = true}), "");
  }
  lose("tls-backup-key.pem");
  EXPECT_THAT(missing(), HasSubstr("put the backup key (pin " + kBackup));
  known_.established = false;
  EXPECT_EQ(missing(), "") << "a first start";
}

TEST_F(KeptKeysTest, NameAMissingBackupKey) {
  lose("tls-backup-key.pem");
  EXPECT_EQ(missing(), "") << "kept elsewhere";
  lose("tls-backup.pin");
  EXPECT_THAT(missing(), HasSubstr("tls-backup.pin"));
  EXPECT_THAT(missing(), HasSubstr("--give-up-pin " + kBackup));
  EXPECT_THAT(missing(), HasSubstr("echo '" + kBackup + "' > "));
  EXPECT_NE(missing({.is_given = true}), "") << "a backup stands beside --cert, too";
  EXPECT_NE(missing({.given_up = {kServing}}), "");
  EXPECT_EQ(missing({.given_up = {kBackup}}), "");
  EXPECT_EQ(missing({.is_given = true, .is_behind_proxy = true}), "");
  known_.backup.clear();
  EXPECT_EQ(missing(), "") << "there was none behind a proxy";
}

TEST_F(KeptKeysTest, KnowThatTheKeyWasGivenBefore) {
  lose("tls-key.pem");
  known_.folder.clear();
  EXPECT_THAT(missing(), HasSubstr("--cert and --key"));
  EXPECT_THAT(missing(), HasSubstr(kServing));
  EXPECT_EQ(missing({.is_behind_proxy = true}), "") << "apps pin the proxy's key";
  known_.folder = kServing;
  EXPECT_NE(missing({.is_behind_proxy = true}), "");
}

TEST_F(KeptKeysTest, DoNotBeginAgainBesideKeys) {
  EXPECT_TRUE(check_database_is_there(*folder_));
  for (const char* kept : {"tls-key.pem", "tls-backup.pin", "tls-backup-key.pem"}) {
    for (const char* name : {"tls-key.pem", "tls-backup.pin", "tls-backup-key.pem"}) lose(name);
    put(kept);
    lose("touchmark.db");
    EXPECT_TRUE(check_database_is_there(*folder_).error().is(KeptKeysError::kDatabaseMissing));
    put("touchmark.db", "");
    EXPECT_TRUE(check_database_is_there(*folder_).error().is(KeptKeysError::kDatabaseMissing));
    lose(kept);
    EXPECT_TRUE(check_database_is_there(*folder_)) << "a first start";
    put("touchmark.db");
  }
}

TEST_F(KeptKeysTest, AreTheOnesThatAppsKnow) {
  register_certificate();
  EXPECT_EQ(refused(kServing, kBackup), "");
  EXPECT_EQ(refused(kBackup, kBackup), "") << "the backup key took the place of the first";
  for (const bool is_given : {false, true}) {
    EXPECT_THAT(refused(kOther, kBackup, {.is_given = is_given}), HasSubstr(kOther));
    EXPECT_THAT(refused(kOther, kBackup, {.is_given = is_given}),
                HasSubstr("--service-pin " + kOther));
    EXPECT_EQ(refused(kOther, kBackup, {.is_given = is_given, .given_up = {kServing}}), "");
    EXPECT_NE(refused(kOther, kBackup, {.is_given = is_given, .given_up = {kOther}}), "");
  }
  EXPECT_THAT(refused(kServing, kOther), HasSubstr("--give-up-pin " + kBackup));
  EXPECT_EQ(refused(kServing, kOther, {.given_up = {kBackup}}), "");
  known_.announced.push_back(kOther);
  EXPECT_EQ(refused(kOther, kBackup), "") << "announced with --service-pin";
  known_.announced.clear();
  EXPECT_NE(refused(kOther, kBackup), "") << "without a configuration that can be read";
  EXPECT_THAT(refused(kServing, "", {.is_behind_proxy = true, .proxy_pins = {kOther}}),
              HasSubstr("the proxy's key"));
  known_.announced = {kServing, kBackup};
  EXPECT_EQ(refused(kOther, "", {.is_behind_proxy = true, .proxy_pins = {kOther, kBackup}}), "");
}

TEST_F(KeptKeysTest, AreNotTheProxysWhenThereIsNoneAnyLonger) {
  register_certificate();
  known_ = {true, true, "", "", kServing, {kOther}};
  EXPECT_THAT(refused(kServing, kBackup), HasSubstr("--give-up-pin " + kOther));
  known_.announced.push_back(kServing);
  EXPECT_EQ(refused(kServing, kBackup), "");
}

TEST_F(KeptKeysTest, MayChangeBeforeAnAppIsRegistered) {
  EXPECT_EQ(refused(kOther, pin_number(4)), "");
  register_certificate();
  EXPECT_NE(refused(kOther, pin_number(4)), "");
}

TEST_F(KeptKeysTest, AreNotedAndTheirChangeIsAudited) {
  ASSERT_TRUE(store_->write([](verifier::store::Transaction& transaction) {
    return transaction.put("account", as_bytes("0123456789abcdef"));
  }));
  const auto first = verifier::state::read_known_keys(*store_).value();
  EXPECT_TRUE(first.established);
  EXPECT_FALSE(first.recorded);
  auto now = check_keys(first, {}, kServing, kBackup, *store_).value();
  ASSERT_TRUE(note_keys(*store_, first, now, UnixTime(Seconds(1))));
  EXPECT_TRUE(store_->audit_log(10)->empty()) << "nothing was another before";
  const auto noted = verifier::state::read_known_keys(*store_).value();
  EXPECT_TRUE(noted.recorded);
  EXPECT_EQ(noted.serving, kServing);
  EXPECT_EQ(noted.backup, kBackup);
  EXPECT_EQ(noted.folder, kServing);
  now = check_keys(noted, {.is_given = true}, kOther, kBackup, *store_).value();
  EXPECT_EQ(now.folder, kServing) << "the folder's key is there still";
  ASSERT_TRUE(note_keys(*store_, noted, now, UnixTime(Seconds(2))));
  const auto log = store_->audit_log(10).value();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].action, "tls.serving-key");
  EXPECT_THAT(log[0].detail, HasSubstr(kServing + " -> " + kOther));
}

}  // namespace
}  // namespace touchmark::cli::serve
