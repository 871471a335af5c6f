// A backup gives what was put in, and nothing that was changed.
#include "verifier/store/backup_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "base/file.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "tests/support/temporary_folder.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::store {
namespace {

constexpr std::size_t kHeader = 8 + 1 + 32 + 16;
constexpr std::size_t kChunk = 1 << 20;
constexpr std::size_t kSeal = 28;

class BackupFileTest : public ::testing::Test {
 protected:
  struct Opened {
    BackupList list;
    std::map<std::string, Bytes> files;
  };
  Bytes write(const std::vector<BackupPart>& parts) {
    const auto path = folder_ / ("backup-" + std::to_string(number_++));
    auto size = write_backup(path, key_, {"account", "1.0", from_unix(1'790'000'000), {"pin"}, {}},
                             parts, random_);
    EXPECT_TRUE(size) << size.error().text();
    Bytes out = read_file(path, 64 << 20).value();
    EXPECT_EQ(out.size(), size.value_or(0));
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    return out;
  }
  static Result<Opened> open(Bytes bytes, ByteView key) {
    Opened out;
    auto list = read_backup(*from_memory(std::move(bytes)), key,
                            [&](const BackedUpFile& file, ByteView piece) -> Result<void> {
                              append(out.files[file.name], piece);
                              return {};
                            });
    if (!list) return pass(list);
    out.list = std::move(*list);
    return out;
  }
  static Bytes content(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 251);
    return out;
  }

  const touchmark::testing::TemporaryFolder folder_;
  testing::RepeatableRandom random_;
  const Bytes key_ = Bytes(32, std::byte{7});
  int number_ = 0;
};

TEST_F(BackupFileTest, GivesWhatWasPutIn) {
  // Sizes around the edges of chunks; the list before them has some hundred bytes.
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunk - 300, kChunk - 1, kChunk,
                                 kChunk + 1, 2 * kChunk + 12345}) {
    const Bytes large = content(size);
    ASSERT_TRUE(write_file_atomic(folder_ / "large", large));
    const auto opened = open(write({{"a.pem", {}, content(3)},
                                    {"empty", {}, {}},
                                    {"large", folder_ / "large", {}},
                                    {"none", {}, {}}}),
                             key_);
    ASSERT_TRUE(opened) << size << ": " << opened.error().text();
    EXPECT_EQ(opened->list.account, "account");
    EXPECT_EQ(opened->list.made, from_unix(1'790'000'000));
    EXPECT_EQ(opened->list.pins, std::vector<std::string>{"pin"});
    EXPECT_EQ(opened->files.size(), 4U);
    EXPECT_EQ(opened->files.at("a.pem"), content(3));
    EXPECT_EQ(opened->files.at("large"), large) << size;
  }
}

TEST_F(BackupFileTest, IsAsLongAsItSays) {
  // The plaintext ends with a chunk: no empty one follows.
  const std::size_t before =
      write({{"a", {}, content(100'000)}}).size() - kHeader - kSeal - 100'000;
  const Bytes whole = write({{"a", {}, content(kChunk - before - 1)}});
  EXPECT_EQ((whole.size() - kHeader) % (kChunk + kSeal), 0U);
  EXPECT_TRUE(open(whole, key_));
}

TEST_F(BackupFileTest, IsRefusedWithEachByteChanged) {
  const Bytes whole = write({{"a", {}, content(200)}, {"b", {}, content(50)}});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned bit : {0x01U, 0x80U}) {
      Bytes changed = whole;
      changed[at] ^= static_cast<std::byte>(bit);
      const auto opened = open(changed, key_);
      ASSERT_FALSE(opened) << at;
      const BackupError wanted = at < 9         ? BackupError::kNotABackup
                                 : at < kHeader ? BackupError::kOtherKey
                                                : BackupError::kBroken;
      EXPECT_TRUE(opened.error().is(wanted)) << at << ": " << opened.error().text();
    }
  }
}

TEST_F(BackupFileTest, IsRefusedCutOffOrLonger) {
  const Bytes small = write({{"a", {}, content(200)}});
  for (std::size_t size = 0; size < small.size(); ++size) {
    EXPECT_FALSE(open(Bytes(small.begin(), small.begin() + static_cast<long>(size)), key_)) << size;
  }
  Bytes longer = small;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(open(longer, key_).error().is(BackupError::kBroken));
  // At the edges of chunks, and with chunks in another order or twice.
  const Bytes large = write({{"a", {}, content(3 * kChunk)}});
  const auto chunk = [&](std::size_t number) {
    const std::size_t from = kHeader + number * (kChunk + kSeal);
    const std::size_t to = std::min(large.size(), from + kChunk + kSeal);
    return Bytes(large.begin() + static_cast<long>(from), large.begin() + static_cast<long>(to));
  };
  const auto made_of = [&](const std::vector<std::size_t>& chunks) {
    Bytes out(large.begin(), large.begin() + kHeader);
    for (const std::size_t number : chunks) append(out, chunk(number));
    return out;
  };
  ASSERT_TRUE(open(made_of({0, 1, 2, 3}), key_));
  for (const auto& chunks : std::vector<std::vector<std::size_t>>{
           {0}, {0, 1}, {0, 1, 2}, {0, 2, 1, 3}, {0, 1, 1, 3}, {1, 2, 3}, {0, 1, 3}, {3}, {}}) {
    EXPECT_TRUE(open(made_of(chunks), key_).error().is(BackupError::kBroken));
  }
}

TEST_F(BackupFileTest, OpensWithItsKeyAlone) {
  const Bytes whole = write({{"a", {}, content(200)}});
  EXPECT_TRUE(open(whole, Bytes(32, std::byte{8})).error().is(BackupError::kOtherKey));
  EXPECT_TRUE(open(to_bytes("not a backup, and long enough to be one: 0123456789 0123456789"), key_)
                  .error()
                  .is(BackupError::kNotABackup));
  EXPECT_NE(write({}), write({})) << "each has a salt of its own";
}

TEST_F(BackupFileTest, HasAListThatEnds) {
  // Sealed with the right key, as the header describes it, in one chunk.
  const auto sealed = [&](ByteView plain) {
    Bytes root = key_;
    append(root, Bytes(32));
    const Bytes keys = crypto::hkdf_sha256(root, "touchmark backup 1", 48);
    Bytes out = to_bytes("TMBACKUP\x01");
    append(out, Bytes(32));
    append(out, ByteView(keys).subspan(32));
    append(out, crypto::seal(ByteView(keys).first(32), "touchmark backup 1 chunk 0 last", plain,
                             random_));
    return out;
  };
  for (const std::size_t size : {0U, 1U, 3U, 4U, 5U, 100U}) {
    for (const std::byte filled : {std::byte{0}, std::byte{1}, std::byte{0xFF}}) {
      EXPECT_TRUE(open(sealed(Bytes(size, filled)), key_).error().is(BackupError::kMalformed))
          << size;
    }
  }
}

TEST_F(BackupFileTest, ReplacesNoFileAndLeavesNoHalfOne) {
  ASSERT_TRUE(write_file_atomic(folder_ / "there", as_bytes("x")));
  EXPECT_FALSE(write_backup(folder_ / "there", key_, {}, {}, random_));
  EXPECT_EQ(read_file(folder_ / "there", 10), to_bytes("x"));
  const auto none =
      write_backup(folder_ / "new", key_, {}, {{"a", folder_ / "missing", {}}}, random_);
  EXPECT_FALSE(none);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

TEST_F(BackupFileTest, NamesFilesOfTheFolderAlone) {
  const auto list = [](const Json& files) {
    return Json{
        {"account", "a"}, {"version", "1"}, {"made", 1}, {"pins", Json::array()}, {"files", files}}
        .dump();
  };
  EXPECT_TRUE(parse_backup_list(list({{{"name", "touchmark.db"}, {"size", 0}}})));
  for (const char* name : {"", ".", "..", "../x", "/etc/passwd", "a/b", ".hidden", "A", "a\nb"}) {
    EXPECT_TRUE(parse_backup_list(list({{{"name", name}, {"size", 0}}}))
                    .error()
                    .is(BackupError::kMalformed))
        << name;
  }
  EXPECT_FALSE(parse_backup_list(list({{{"name", "a"}, {"size", -1}}})));
  EXPECT_FALSE(
      parse_backup_list(list({{{"name", "a"}, {"size", 1}}, {{"name", "a"}, {"size", 1}}})))
      << "one name twice";
  Json many = Json::array();
  for (std::size_t i = 0; i <= kMaxBackupFiles; ++i) {
    many.push_back({{"name", "a" + std::to_string(i)}, {"size", 0}});
  }
  EXPECT_FALSE(parse_backup_list(list(many)));
  for (const char* text : {"", "[]", "{}", "null", "{\"files\":[]}"}) {
    EXPECT_FALSE(parse_backup_list(text)) << text;
  }
}

}  // namespace
}  // namespace touchmark::verifier::store
