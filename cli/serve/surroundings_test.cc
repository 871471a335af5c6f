// What the process tells of where it runs.
#include "cli/serve/surroundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SurroundingsTest : public ::testing::Test {
 protected:
  const touchmark::testing::TemporaryFolder temporary_;
  DataFolder folder_ = DataFolder::open(temporary_.path() / "data").value();
};

TEST_F(SurroundingsTest, LooksAtTheDiskAndLeavesNothingThere) {
  const auto seen = look_around(folder_, {.max_connections = 7, .wanted_connections = 9});
  EXPECT_EQ(seen.data, fs::canonical(folder_.path()));
  EXPECT_EQ(seen.data_mode, 0700U);
  EXPECT_FALSE(seen.problem) << *seen.problem;
  EXPECT_GT(seen.total_bytes, seen.free_bytes);
  EXPECT_GT(seen.descriptor_limit, seen.open_descriptors);
  EXPECT_GT(seen.open_descriptors, 2U);
  EXPECT_EQ(seen.max_connections, 7U);
  EXPECT_EQ(seen.wanted_connections, 9U);
  EXPECT_THAT(seen.token_files, IsEmpty());
  EXPECT_TRUE(fs::is_empty(folder_.uploads()));
}

TEST_F(SurroundingsTest, SaysWhereNoFileCanBeWritten) {
  fs::remove_all(folder_.uploads());
  EXPECT_TRUE(look_around(folder_, {}).problem);
}

TEST_F(SurroundingsTest, KnowsWhereTheMasterKeyIs) {
  const auto is_apart = [this](const std::optional<fs::path>& key) {
    return look_around(folder_, {.master_key = key}).master_key_apart;
  };
  fs::create_directory_symlink(folder_.path(), temporary_.path() / "link");
  EXPECT_FALSE(is_apart({})) << "by default it is in the folder";
  EXPECT_FALSE(is_apart(folder_.path() / "mk"));
  EXPECT_FALSE(is_apart(folder_.path() / "keys/mk"));
  EXPECT_FALSE(is_apart(folder_.path() / "uploads/../mk"));
  EXPECT_FALSE(is_apart(temporary_.path() / "link/mk"));
  EXPECT_TRUE(is_apart(temporary_.path() / "mk"));
  EXPECT_TRUE(is_apart(temporary_.path() / "data2/mk"));
  EXPECT_TRUE(is_apart(folder_.path() / "../mk"));
}

TEST_F(SurroundingsTest, FindsTheTokenFilesThatAreLeft) {
  const fs::path left = temporary_.path() / "left.json";
  ASSERT_TRUE(write_file_atomic(left, as_bytes("{}")));
  const Started started{.token_files = {folder_.operator_tokens(), left}};
  EXPECT_THAT(look_around(folder_, started).token_files, ElementsAre(fs::canonical(left)));
}

}  // namespace
}  // namespace touchmark::cli::serve
