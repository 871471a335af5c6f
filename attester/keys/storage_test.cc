#include "attester/keys/storage.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

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

TEST_F(StorageTest, ANewerConfigurationOfAnotherProcessStays) {
  ASSERT_TRUE(storage_.save_config(config(5)));
  ASSERT_TRUE(storage_.save_config(config(3)));
  EXPECT_EQ(storage_.load_config(config(1))->version, 5);
  ASSERT_TRUE(storage_.save_config(config(6)));
  EXPECT_EQ(storage_.load_config(config(1))->version, 6);
  // A damaged one is no reason to keep none.
  overwrite("config.jws", "damaged");
  ASSERT_TRUE(storage_.save_config(config(4)));
  EXPECT_EQ(storage_.load_config(config(1))->version, 4);
}

TEST_F(StorageTest, TheLockIsForOneAtATimeAndEndsWithItsHolder) {
  using std::chrono::milliseconds;
  {
    const FolderLock held = storage_.lock();
    EXPECT_TRUE(held.held());
    EXPECT_FALSE(storage_.lock(milliseconds(30)).held());
  }
  EXPECT_TRUE(storage_.lock(milliseconds(0)).held());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const FolderLock held = storage_.lock();
    ::kill(::getpid(), SIGSTOP);
    ::pause();
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_FALSE(storage_.lock(milliseconds(30)).held());
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(storage_.lock(milliseconds(0)).held());
}

// Runs `work` again and again in a process of its own, and kills that `microseconds` after the
// first time is over.
template <class Work>
void kill_in_the_middle(int microseconds, const Work& work) {
  int pipe[2] = {};
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (;;) {
      work();
      if (::write(pipe[1], "", 1) != 1) ::_exit(1);
    }
  }
  char once = 0;
  EXPECT_EQ(::read(pipe[0], &once, 1), 1);
  ::usleep(static_cast<useconds_t>(microseconds));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// Android kills processes whenever it likes.
TEST_F(StorageTest, AProcessThatDiesWhileItWritesLeavesTheOldOrTheNew) {
  const Config three = config(3);
  const Config four = config(4);
  const Config first = config(1);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 40; ++i) {
    kill_in_the_middle(397 * i, [&] {
      std::filesystem::remove(dir_.path() / "installation.key");
      static_cast<void>(storage_.software_key(random_));
      std::filesystem::remove(dir_.path() / "config.jws");
      static_cast<void>(storage_.save_config(three));
      static_cast<void>(storage_.save_config(four));
    });
    const auto kept = storage_.load_config(first);
    seen.insert(kept ? kept->version : 0);
    const Bytes key = public_key(storage_.software_key(random_));
    EXPECT_FALSE(key.empty());
    EXPECT_EQ(public_key(storage_.software_key(random_)), key);
    EXPECT_TRUE(storage_.lock(std::chrono::milliseconds(0)).held());
  }
  EXPECT_TRUE(seen.contains(3) || seen.contains(4));
  // What they left half-written goes with the next that writes.
  std::filesystem::remove(dir_.path() / "installation.key");
  EXPECT_TRUE(storage_.software_key(random_));
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    EXPECT_NE(entry.path().extension(), ".tmp");
  }
}

TEST_F(StorageTest, AWriterKeepsItsDraftWhenAnotherProcessStarts) {
  const auto draft = dir_.path() / ".config.jws.0123.tmp";
  overwrite(".config.jws.0123.tmp", "being written");
  {
    const FolderLock writing = storage_.lock();
    ASSERT_TRUE(Storage::open(dir_.path()));
    EXPECT_TRUE(std::filesystem::exists(draft));
    // Nor does it lose it to one that has waited long enough.
    EXPECT_TRUE(storage_.software_key(random_));
    EXPECT_TRUE(std::filesystem::exists(draft));
  }
  ASSERT_TRUE(storage_.save_config(config(2)));
  EXPECT_FALSE(std::filesystem::exists(draft));
}

TEST_F(StorageTest, ProcessesThatStartTogetherHaveOneKey) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      SystemRandom random;
      const Bytes key = public_key(storage_.software_key(random));
      const auto name = dir_.path() / ("key-of-" + std::to_string(i));
      ::_exit(write_file_atomic(name, key) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const Bytes key = public_key(storage_.software_key(random_));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(*read_file(dir_.path() / ("key-of-" + std::to_string(i)), 4096), key);
  }
}

// An app that opens its client is told at once of a folder that is not its own.
TEST(StorageOpenTest, FailsWhereNothingCanBeWritten) {
  const TemporaryFolder dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::getuid() == 0 && ::setuid(kNobody) != 0) ::_exit(2);
    const auto storage = Storage::open(dir.path());
    ::_exit(!storage && storage.error().is(ClientError::kStorage) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0700));
}

TEST(StorageOpenTest, FailsWhereNoFolderCanBe) {
  const auto storage = Storage::open("/dev/null/touchmark");
  ASSERT_FALSE(storage);
  EXPECT_TRUE(storage.error().is(ClientError::kStorage));
}

}  // namespace
}  // namespace touchmark::attester::keys
