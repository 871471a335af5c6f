#include "attester/keys/storage.h"

#include <sys/stat.h>

#include "attester/testing/testing.h"
#include "base/file.h"
#include "protocol/limits.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::keys {
namespace {

using testing::config_payload;
using testing::sign_config;
using touchmark::testing::TemporaryFolder;

class StorageTest : public ::testing::Test {
 protected:
  Config config(std::int64_t version) {
    const Config initial = *parse_initial_config(sign_config(config_payload(key_), key_));
    if (version == 1) return initial;
    return *parse_config_update(initial, sign_config(config_payload(key_, version), key_));
  }
  void overwrite(const char* name, std::string_view content) {
    ASSERT_TRUE(write_file_atomic(dir_.path() / name, as_bytes(content)));
  }

  crypto::EcKey key_ = crypto::EcKey::generate();
  TemporaryFolder dir_;
  Storage storage_ = *Storage::open(dir_.path());
  SystemRandom random_;
};

TEST_F(StorageTest, KeepsTheKey) {
  const auto first = storage_.software_key(random_);
  const auto second = storage_.software_key(random_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->public_key().public_der(), (*second)->public_key().public_der());
  EXPECT_EQ((*first)->protection(), "software");
  struct stat info {};
  ASSERT_EQ(::stat((dir_.path() / "installation.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const Bytes file = *read_file(dir_.path() / "installation.key", 4096);
  EXPECT_EQ(as_text(file).find(as_text((*first)->public_key().public_der()).substr(30)),
            std::string_view::npos);
}

TEST_F(StorageTest, MakesANewKeyForADamagedFileOrACopiedFolder) {
  const Bytes first = (*storage_.software_key(random_))->public_key().public_der();
  TemporaryFolder elsewhere;
  std::filesystem::copy(dir_.path(), elsewhere.path(),
                        std::filesystem::copy_options::overwrite_existing);
  const Storage copied = *Storage::open(elsewhere.path());
  EXPECT_NE((*copied.software_key(random_))->public_key().public_der(), first);
  overwrite("installation.key", "damaged");
  EXPECT_NE((*storage_.software_key(random_))->public_key().public_der(), first);
}

Bytes public_key(const Result<std::unique_ptr<InstallationKey>>& key) {
  return key ? (*key)->public_key().public_der() : Bytes();
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 0777;
}

// As version 0.1 sealed it: under what anybody can try.
Bytes old_seal(const std::filesystem::path& dir, const crypto::EcKey& key, Random& random) {
  struct stat info {};
  EXPECT_EQ(::stat(dir.c_str(), &info), 0);
  const std::string place = std::to_string(info.st_ino) + ":" + std::to_string(info.st_uid);
  constexpr std::string_view kContext = "touchmark installation key v1";
  return crypto::seal(crypto::hkdf_sha256(as_bytes(place), kContext, 32), kContext,
                      key.private_der(), random);
}

// Everything that is public about an installation is the folder, and that opens nothing.
TEST_F(StorageTest, TheSealIsNotGuessableFromTheFolder) {
  ASSERT_TRUE(storage_.software_key(random_));
  const Bytes sealed = *read_file(dir_.path() / "installation.key", 4096);
  const Bytes secret = *read_file(dir_.path() / "installation.seal", 4096);
  EXPECT_EQ(secret.size(), 32U);
  EXPECT_EQ(mode_of(dir_.path() / "installation.seal"), 0600U);
  struct stat info {};
  ASSERT_EQ(::stat(dir_.path().c_str(), &info), 0);
  const std::string place = std::to_string(info.st_ino) + ":" + std::to_string(info.st_uid);
  for (const std::string_view context :
       {"touchmark installation key v1", "touchmark installation key v2"}) {
    const Bytes guessed = crypto::hkdf_sha256(as_bytes(place), context, 32);
    EXPECT_FALSE(crypto::open_sealed(guessed, context, sealed));
  }
  // Each installation has a secret of its own, drawn by the generator that it was given.
  TemporaryFolder elsewhere;
  ASSERT_TRUE(Storage::open(elsewhere.path())->software_key(random_));
  EXPECT_NE(*read_file(elsewhere.path() / "installation.seal", 4096), secret);
}

TEST_F(StorageTest, TheKeyFileAloneIsOfNoUse) {
  const Bytes first = public_key(storage_.software_key(random_));
  for (const std::string& secret :
       {std::string(), std::string(31, 'x'), std::string(32, 'x'), std::string(33, 'x')}) {
    const Bytes before = public_key(storage_.software_key(random_));
    overwrite("installation.seal", secret);
    const Bytes after = public_key(storage_.software_key(random_));
    EXPECT_NE(after, before);
    EXPECT_NE(after, first);
    EXPECT_EQ(public_key(storage_.software_key(random_)), after);
  }
  const Bytes before = public_key(storage_.software_key(random_));
  std::filesystem::remove(dir_.path() / "installation.seal");
  EXPECT_NE(public_key(storage_.software_key(random_)), before);
}

TEST_F(StorageTest, AnOlderVersionsFileIsOpenedAndSealedAgain) {
  const crypto::EcKey key = crypto::EcKey::generate();
  const Bytes old = old_seal(dir_.path(), key, random_);
  overwrite("installation.key", as_text(old));
  EXPECT_EQ(public_key(storage_.software_key(random_)), key.public_der());
  EXPECT_NE(*read_file(dir_.path() / "installation.key", 4096), old);
  EXPECT_EQ(mode_of(dir_.path() / "installation.key"), 0600U);
  EXPECT_EQ(public_key(storage_.software_key(random_)), key.public_der());
  // The last start ended with the secret on disk and the key still under the old seal.
  overwrite("installation.key", as_text(old));
  EXPECT_EQ(public_key(storage_.software_key(random_)), key.public_der());
  // Of another folder, it is not this installation's.
  TemporaryFolder elsewhere;
  const Storage other = *Storage::open(elsewhere.path());
  ASSERT_TRUE(write_file_atomic(elsewhere.path() / "installation.key", old));
  EXPECT_NE(public_key(other.software_key(random_)), key.public_der());
}

TEST_F(StorageTest, KeepsTheNewestConfiguration) {
  EXPECT_FALSE(storage_.load_config(config(1)));
  ASSERT_TRUE(storage_.save_config(config(3)));
  ASSERT_TRUE(storage_.load_config(config(1)));
  EXPECT_EQ(storage_.load_config(config(1))->version, 3);
  // An update of the app brings a newer one along.
  EXPECT_FALSE(storage_.load_config(config(3)));
  EXPECT_FALSE(storage_.load_config(config(4)));
}

TEST_F(StorageTest, IgnoresADamagedOrForeignConfiguration) {
  for (const std::string& content :
       {std::string(), std::string("x.y.z"), std::string(protocol::kMaxConfigBytes + 1, 'a'),
        sign_config(config_payload(key_, 5), crypto::EcKey::generate())}) {
    overwrite("config.jws", content);
    EXPECT_FALSE(storage_.load_config(config(1)));
  }
}

TEST(StorageOpenTest, FailsWhereNoFolderCanBe) {
  const auto storage = Storage::open("/dev/null/touchmark");
  ASSERT_FALSE(storage);
  EXPECT_TRUE(storage.error().is(ClientError::kStorage));
}

}  // namespace
}  // namespace touchmark::attester::keys
