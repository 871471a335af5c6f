#include "attester/keys/storage.h"

#include <sys/stat.h>

#include "attester/testing/testing.h"
#include "base/file.h"
#include "protocol/limits.h"

namespace touchmark::attester::keys {
namespace {

using testing::config_payload;
using testing::sign_config;
using testing::TempDir;

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
  TempDir dir_;
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
  TempDir elsewhere;
  std::filesystem::copy(dir_.path(), elsewhere.path(),
                        std::filesystem::copy_options::overwrite_existing);
  const Storage copied = *Storage::open(elsewhere.path());
  EXPECT_NE((*copied.software_key(random_))->public_key().public_der(), first);
  overwrite("installation.key", "damaged");
  EXPECT_NE((*storage_.software_key(random_))->public_key().public_der(), first);
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
