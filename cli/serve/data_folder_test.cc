// Which folder is taken as the data folder, and in what state it must be.
#include "cli/serve/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temporary_folder.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TakenFolderTest : public ::testing::Test {
 protected:
  void put(const char* name) {
    fs::create_directories(data_);
    std::ofstream(data_ / name) << "x";
  }
  unsigned mode() const {
    struct stat status {};
    EXPECT_EQ(::stat(data_.c_str(), &status), 0);
    return status.st_mode & 07777U;
  }

  const touchmark::testing::TemporaryFolder temporary_;
  const fs::path data_ = temporary_.path() / "data";
  verifier::testing::RepeatableRandom random_;
};

TEST_F(TakenFolderTest, MayNotHoldOtherThings) {
  for (const char* name : {"notes.txt", "tls-key.pem", "lock.txt", ".hidden", "uploads"}) {
    fs::remove_all(data_);
    put(name);
    ::chmod(data_.c_str(), 0755);
    auto refused = DataFolder::open(data_);
    ASSERT_FALSE(refused) << name;
    EXPECT_TRUE(refused.error().is(DataFolderError::kNotTouchmarks)) << refused.error().text();
    EXPECT_THAT(refused.error().message(), HasSubstr(name));
    EXPECT_EQ(mode(), 0755U) << "it is not touched";
    EXPECT_FALSE(fs::exists(data_ / "lock"));
  }
  put("other");
  EXPECT_THAT(DataFolder::open(data_).error().message(), HasSubstr("and 1 more"));
}

TEST_F(TakenFolderTest, MayBeANewFileSystem) {
  fs::create_directories(data_ / "lost+found");
  EXPECT_TRUE(DataFolder::open(data_));
}

TEST_F(TakenFolderTest, MayHoldAMasterKeyAlone) {
  put("master.key");
  EXPECT_TRUE(DataFolder::open(data_));
}

TEST_F(TakenFolderTest, IsTouchmarksWithADatabase) {
  put("touchmark.db");
  put("notes of the operator");
  EXPECT_TRUE(DataFolder::open(data_));
}

TEST_F(TakenFolderTest, MayBeLeftByAStartThatWasCutShort) {
  { ASSERT_TRUE(DataFolder::open(data_)); }
  put("tls-key.pem");
  put(".tls-cert.pem.0123456789abcdef.tmp");
  EXPECT_TRUE(DataFolder::open(data_));
  put("notes.txt");
  EXPECT_TRUE(DataFolder::open(data_).error().is(DataFolderError::kNotTouchmarks));
}

TEST_F(TakenFolderTest, BecomesPrivate) {
  for (const unsigned before : {0755U, 0777U, 0710U, 0701U, 02770U}) {
    fs::create_directories(data_);
    ASSERT_EQ(::chmod(data_.c_str(), static_cast<mode_t>(before)), 0);
    auto folder = DataFolder::open(data_);
    ASSERT_TRUE(folder) << folder.error().text();
    EXPECT_EQ(folder->mode_before(), before);
    EXPECT_EQ(mode(), 0700U);
  }
  EXPECT_FALSE(DataFolder::open(data_)->mode_before());
}

TEST_F(TakenFolderTest, BelongsToWhoRunsIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  fs::create_directories(data_);
  ASSERT_EQ(::chown(data_.c_str(), 12345, 12345), 0);
  auto refused = DataFolder::open(data_);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(DataFolderError::kNotPrivate));
  EXPECT_THAT(refused.error().message(), HasSubstr("12345"));
}

TEST_F(TakenFolderTest, CannotBeReplacedByAnybody) {
  fs::create_directories(data_);
  ASSERT_EQ(::chmod(temporary_.path().c_str(), 0777), 0);
  auto refused = DataFolder::open(data_);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(DataFolderError::kNotPrivate));
  EXPECT_THAT(refused.error().message(), HasSubstr("chmod o-w"));
  ASSERT_EQ(::chmod(temporary_.path().c_str(), 01777), 0);
  EXPECT_TRUE(DataFolder::open(data_)) << "the sticky bit keeps others from it, as in /tmp";
  ::chmod(temporary_.path().c_str(), 0700);
}

TEST_F(TakenFolderTest, IsNoticedWhenItMoves) {
  auto folder = DataFolder::open(data_);
  put("touchmark.db");
  EXPECT_TRUE(folder->still_there());
  fs::rename(data_, temporary_.path() / "elsewhere");
  auto moved = folder->still_there();
  ASSERT_FALSE(moved);
  EXPECT_TRUE(moved.error().is(DataFolderError::kMoved));
  EXPECT_THAT(moved.error().message(), HasSubstr(data_.string()));
  // Another folder under the old name is not the one.
  put("touchmark.db");
  put("lock");
  EXPECT_FALSE(folder->still_there());
  fs::remove_all(data_);
  fs::rename(temporary_.path() / "elsewhere", data_);
  EXPECT_TRUE(folder->still_there());
  fs::remove(data_ / "touchmark.db");
  EXPECT_THAT(folder->still_there().error().message(), HasSubstr("touchmark.db"));
}

TEST_F(TakenFolderTest, TakesACredentialAndNeverMakesOne) {
  auto folder = DataFolder::open(data_);
  const fs::path credentials = temporary_.path() / "credentials";
  fs::create_directories(credentials);
  const fs::path file = credentials / "master.key";
  auto missing = folder->master_key(file, random_, credentials);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().is(DataFolderError::kMasterKeyMissing));
  EXPECT_FALSE(fs::exists(file));
  std::ofstream(file) << std::string(43, 'A') << "=\n";
  ::chmod(file.c_str(), 0440);  // as systemd shows it, with an access list
  EXPECT_EQ(folder->master_key(file, random_, credentials), Bytes(32));
  EXPECT_TRUE(folder->master_key(file, random_).error().is(DataFolderError::kMasterKeyBad))
      << "elsewhere that is too open";
}

}  // namespace
}  // namespace touchmark::cli::serve
