#include "attester/checks/raw_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"

namespace touchmark::attester::checks {
namespace {

// The kernel's own layout against what libc makes of it.
TEST(RawFileTest, SaysOfAFileWhatLibcSays) {
  for (const char* path : {"/proc/self/exe", "/etc/passwd", "/dev/null", "/proc/self/maps"}) {
    struct stat expected {};
    ASSERT_EQ(::stat(path, &expected), 0);
    const Result<RawFile> file = RawFile::open(path);
    ASSERT_TRUE(file);
    const Result<FileStatus> status = file->status();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->device, expected.st_dev);
    EXPECT_EQ(status->inode, expected.st_ino);
    EXPECT_EQ(status->size, static_cast<std::uint64_t>(expected.st_size));
    EXPECT_EQ(status->mode, expected.st_mode);
    EXPECT_EQ(status->owner, expected.st_uid);
    if (std::string_view(path).starts_with("/etc")) {
      EXPECT_EQ(status->modify_seconds, expected.st_mtim.tv_sec);
      EXPECT_EQ(status->modify_nanoseconds, expected.st_mtim.tv_nsec);
      EXPECT_EQ(status->change_seconds, expected.st_ctim.tv_sec);
      EXPECT_EQ(status->change_nanoseconds, expected.st_ctim.tv_nsec);
    }
  }
}

// Offsets that need more than 32 bits, as those of /proc/self/mem and of large files do.
TEST(RawFileTest, ReadsPastFourGigabytes) {
  const touchmark::testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "sparse").string();
  constexpr std::uint64_t kAt = (std::uint64_t{1} << 32) + 4097;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::pwrite64(fd, "far", 3, static_cast<off64_t>(kAt)), 3);
  ::close(fd);
  const Result<RawFile> file = RawFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->status()->size, kAt + 3);
  Bytes out(8);
  EXPECT_EQ(file->read_some(kAt, out), 3U);
  EXPECT_EQ(as_text(out).substr(0, 3), "far");
  EXPECT_EQ(file->read_some(4097, out), 8U);
  EXPECT_EQ(out[0], std::byte{0});
}

}  // namespace
}  // namespace touchmark::attester::checks
