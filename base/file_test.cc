#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/encoding.h"
#include "base/random.h"
#include "tests/support/temporary_folder.h"

namespace touchmark {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const testing::TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path();
};

TEST_F(FileTest, WritesReplacesAndReads) {
  fs::path path = folder_ / "data";
  SystemRandom random;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000000}}) {
    Bytes data = random.bytes(size);
    ASSERT_TRUE(write_file_atomic(path, data));
    EXPECT_EQ(read_file(path, 2000000), data);
  }
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, SetsTheMode) {
  fs::path path = folder_ / "secret";
  ASSERT_TRUE(write_file_atomic(path, as_bytes("x"), 0600));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(FileTest, ReadsUpToTheBound) {
  fs::path path = folder_ / "data";
  ASSERT_TRUE(write_file_atomic(path, as_bytes("12345")));
  EXPECT_TRUE(read_file(path, 5));
  auto refused = read_file(path, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id(), "file.too-large");
  // An endless one ends at the bound, too.
  EXPECT_EQ(read_file("/dev/zero", 3000000).error().id(), "file.too-large");
}

TEST_F(FileTest, SaysWhatIsWrong) {
  EXPECT_EQ(read_file(folder_ / "none", 5).error().id(), "file.not-found");
  EXPECT_EQ(read_file(folder_, 5).error().id(), "file.io");
  EXPECT_EQ(write_file_atomic(folder_ / "none" / "x", {}).error().id(), "file.not-found");
  std::ofstream(folder_ / "plain") << "x";
  EXPECT_EQ(write_file_atomic(folder_ / "plain" / "x", {}).error().id(), "file.not-found");
}

TEST_F(FileTest, ANewFileTakesNobodysPlace) {
  const fs::path path = folder_ / "secret";
  EXPECT_TRUE(check_new_file(path));
  ASSERT_TRUE(write_new_file(path, as_bytes("first"), 0600));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(check_new_file(path).error().id(), "file.exists");
  EXPECT_EQ(write_new_file(path, as_bytes("second"), 0600).error().id(), "file.exists");
  EXPECT_EQ(as_text(read_file(path, 100).value()), "first");
  fs::create_symlink(folder_ / "elsewhere", folder_ / "link");
  EXPECT_EQ(check_new_file(folder_ / "link").error().id(), "file.exists");
  EXPECT_EQ(write_new_file(folder_ / "link", as_bytes("x"), 0600).error().id(), "file.exists");
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
  EXPECT_EQ(entries(), 2U) << "no draft is left";
}

TEST_F(FileTest, AFailedWriteLeavesTheOldContentAndNothingElse) {
  fs::path path = folder_ / "target";
  fs::create_directories(path / "inside");  // a folder cannot be replaced by a file
  auto refused = write_file_atomic(path, as_bytes("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id(), "file.io");
  EXPECT_TRUE(fs::exists(path / "inside"));
  EXPECT_EQ(entries(), 1U);
}

}  // namespace
}  // namespace touchmark
