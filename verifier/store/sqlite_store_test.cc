#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "crypto/crypto.h"
#include "verifier/store/store.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::store {
namespace {

namespace fs = std::filesystem;
using testing::MemoryApp;

constexpr UnixTime kNow{Seconds(1'790'000'000)};

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/touchmark-store-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    open();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void open() {
    store_.reset();
    auto store = open_sqlite(path());
    ASSERT_TRUE(store) << store.error().text();
    store_ = std::move(*store);
  }
  std::string path() const { return (folder_ / "touchmark.db").string(); }
  // Changes the closed database behind the store's back.
  void sql(const std::string& text) {
    store_.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, text.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_free(message);
    sqlite3_close(raw);
  }
  void register_app(const MemoryApp& app, std::optional<UnixTime> expires = {}) {
    auto ok = testing::write(*store_, &Transaction::put_registration,
                             app.registration(kNow, expires), app.reader());
    ASSERT_TRUE(ok) << ok.error().text();
  }

  fs::path folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteStoreTest, KeepsRegistrationsOverReopening) {
  const MemoryApp app = MemoryApp::make();
  register_app(app, kNow + Seconds(600));
  open();
  auto kept = store_->registrations();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->front().measurement, app.measurement);
  EXPECT_EQ(kept->front().created, kNow);
  EXPECT_EQ(kept->front().expires, kNow + Seconds(600));
  EXPECT_EQ(kept->front().created_by, "admin");
}

TEST_F(SqliteStoreTest, ReplacesTheSameMeasurement) {
  const MemoryApp app = MemoryApp::make();
  register_app(app, kNow + Seconds(600));
  register_app(app);
  auto kept = store_->registrations();
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_FALSE(kept->front().expires);
}

TEST_F(SqliteStoreTest, ReadsAnyRangeOfAPart) {
  const MemoryApp app = MemoryApp::make();
  register_app(app);
  const Bytes& dex = app.contents.at("classes.dex");
  const Sha256Digest id = crypto::sha256(dex);
  const auto expect_range = [&](std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t from = std::min<std::uint64_t>(offset, dex.size());
    const std::uint64_t count = std::min<std::uint64_t>(length, dex.size() - from);
    auto got = store_->part_range(id, offset, length);
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(*got, to_bytes(ByteView(dex).subspan(from, count))) << offset << "+" << length;
  };
  constexpr std::uint64_t kChunk = 65536;
  for (const std::uint64_t offset :
       {std::uint64_t{0}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk, dex.size() - 1, dex.size(),
        dex.size() + 5, std::uint64_t{1} << 40, UINT64_MAX}) {
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4096},
                                       kChunk, 2 * kChunk, UINT64_MAX}) {
      expect_range(offset, length);
    }
  }
  EXPECT_EQ(store_->part_range(Sha256Digest{}, 0, 10), Bytes{});
}

TEST_F(SqliteStoreTest, KeepsPartsThatAnotherReleaseStillHas) {
  const MemoryApp first = MemoryApp::make();
  MemoryApp second = first;  // the same code under another version
  second.measurement.version_code = 8;
  register_app(first);
  register_app(second);
  const Sha256Digest dex = crypto::sha256(first.contents.at("classes.dex"));
  ASSERT_TRUE(
      testing::write(*store_, &Transaction::remove_registration, first.registration(kNow).id));
  EXPECT_EQ(store_->part_range(dex, 0, 4)->size(), 4U);
  ASSERT_TRUE(
      testing::write(*store_, &Transaction::remove_registration, second.registration(kNow).id));
  EXPECT_EQ(store_->part_range(dex, 0, 4)->size(), 0U);
}

TEST_F(SqliteStoreTest, RefusesContentThatIsNotTheMeasured) {
  MemoryApp app = MemoryApp::make();
  app.contents["classes.dex"][100] ^= std::byte{1};
  auto ok =
      testing::write(*store_, &Transaction::put_registration, app.registration(kNow), app.reader());
  ASSERT_FALSE(ok);
  EXPECT_TRUE(ok.error().is(StoreError::kCorrupt));
  EXPECT_TRUE(store_->registrations()->empty());
}

TEST_F(SqliteStoreTest, UndoesAChangeThatFails) {
  auto failed = store_->write([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put("name", as_bytes("value")));
    EXPECT_TRUE(transaction.put_api({"a.example", {}}));
    EXPECT_EQ(transaction.apis()->size(), 1U) << "it sees what it did";
    return fail(StoreError::kIo, "made up");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "made up");
  EXPECT_EQ(store_->get("name").value(), std::optional<Bytes>());
  EXPECT_TRUE(store_->apis()->empty());
  EXPECT_TRUE(testing::write(*store_, &Transaction::put, "name", as_bytes("value")))
      << "the store is usable again";
}

TEST_F(SqliteStoreTest, SaysWhatIsNotThere) {
  EXPECT_TRUE(testing::write(*store_, &Transaction::remove_registration, "0011223344556677")
                  .error()
                  .is(StoreError::kNotFound));
  EXPECT_TRUE(testing::write(*store_, &Transaction::remove_api, "a.example")
                  .error()
                  .is(StoreError::kNotFound));
}

TEST_F(SqliteStoreTest, KeepsApisTokensAndSettings) {
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_api, {"b.example", {"pin 1", "pin 2"}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_api, {"a.example", {}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_api, {"a.example", {"pin 3"}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_operator_token,
                             {"ops", model::Role::kAdmin, crypto::sha256(as_bytes("x"))}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put, "empty", {}));
  open();
  auto apis = store_->apis();
  ASSERT_EQ(apis->size(), 2U);
  EXPECT_EQ((*apis)[0].domain, "a.example");
  EXPECT_THAT((*apis)[0].pins, ::testing::ElementsAre("pin 3"));
  EXPECT_THAT((*apis)[1].pins, ::testing::ElementsAre("pin 1", "pin 2"));
  auto tokens = store_->operator_tokens();
  ASSERT_EQ(tokens->size(), 1U);
  EXPECT_EQ(tokens->front().role, model::Role::kAdmin);
  EXPECT_EQ(tokens->front().token_sha256, crypto::sha256(as_bytes("x")));
  EXPECT_EQ(store_->get("empty").value(), std::optional<Bytes>(Bytes{}));
  EXPECT_EQ(store_->get("absent").value(), std::optional<Bytes>());
}

TEST_F(SqliteStoreTest, KeepsTheLastRecordOfADevice) {
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_devices,
                             {{"did-1", kNow, false, "AAAA", "com.example.app"},
                              {"did-2", kNow + Seconds(1), true, "AEAQ", "com.example.app"}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_devices,
                             {{"did-1", kNow + Seconds(2), true, "AEAQ", "com.example.app"}}));
  auto devices = store_->devices(10);
  ASSERT_EQ(devices->size(), 2U);
  EXPECT_EQ(devices->front().device_id, "did-1");
  EXPECT_TRUE(devices->front().passed);
  EXPECT_EQ(store_->devices(1)->size(), 1U);
}

TEST_F(SqliteStoreTest, ChainsTheAuditLog) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(testing::write(*store_, &Transaction::audit,
                               {kNow + Seconds(i), "admin", "api.put", std::to_string(i), {}}));
  }
  EXPECT_EQ(store_->verify_audit(), 5U);
  auto newest = store_->audit_log(2);
  ASSERT_EQ(newest->size(), 2U);
  EXPECT_EQ(newest->front().detail, "4");
  EXPECT_NE(newest->front().hash, newest->back().hash);
}

TEST_F(SqliteStoreTest, FindsWhereTheAuditLogWasChanged) {
  const auto broken_after = [&](const std::string& change) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(testing::write(*store_, &Transaction::audit,
                                 {kNow, "admin", "api.put", std::to_string(i), {}}));
    }
    sql(change);
    open();
    auto verified = store_->verify_audit();
    const bool broken = !verified && verified.error().is(StoreError::kCorrupt);
    sql("DELETE FROM audit");
    open();
    return broken;
  };
  EXPECT_TRUE(broken_after("UPDATE audit SET detail = 'x' WHERE number = 2"));
  EXPECT_TRUE(broken_after("UPDATE audit SET actor = 'x' WHERE number = 4"));
  EXPECT_TRUE(broken_after("UPDATE audit SET time = 0 WHERE number = 1"));
  EXPECT_TRUE(broken_after("DELETE FROM audit WHERE number = 3"));
  EXPECT_TRUE(broken_after("DELETE FROM audit WHERE number = 1"));
  EXPECT_FALSE(broken_after("SELECT 1"));
}

TEST_F(SqliteStoreTest, ReadsWhileAChangeIsBeingWritten) {
  const MemoryApp app = MemoryApp::make();
  register_app(app);
  const Sha256Digest dex = crypto::sha256(app.contents.at("classes.dex"));
  auto changed = store_->write([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put("x", as_bytes("y")));
    std::jthread reader([&] {
      EXPECT_EQ(store_->part_range(dex, 0, 4096)->size(), 4096U);
      EXPECT_TRUE(store_->ping());
    });
    reader.join();
    return {};
  });
  EXPECT_TRUE(changed);
}

TEST_F(SqliteStoreTest, TakesChangesFromManyThreads) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 25; ++i) {
        EXPECT_TRUE(testing::write(*store_, &Transaction::audit,
                                   {kNow, std::to_string(t), "test", std::to_string(i), {}}));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store_->verify_audit(), 100U);
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfALaterVersion) {
  sql("PRAGMA user_version = 999");
  auto store = open_sqlite(path());
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().is(StoreError::kTooNew)) << store.error().text();
}

TEST_F(SqliteStoreTest, RefusesAndKeepsAnotherProgramsDatabase) {
  store_.reset();
  fs::remove_all(folder_);
  fs::create_directory(folder_);
  sql("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
  std::ifstream before_file(path(), std::ios::binary);
  const std::string before(std::istreambuf_iterator<char>(before_file), {});
  auto store = open_sqlite(path());
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().is(StoreError::kCorrupt)) << store.error().text();
  std::ifstream after_file(path(), std::ios::binary);
  EXPECT_EQ(before, std::string(std::istreambuf_iterator<char>(after_file), {}));
}

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabase) {
  store_.reset();
  fs::remove(path() + "-wal");
  std::ofstream(path(), std::ios::trunc) << std::string(8192, 'x');
  auto store = open_sqlite(path());
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().is(StoreError::kCorrupt)) << store.error().text();
}

TEST_F(SqliteStoreTest, ReportsAPlaceThatCannotBeOpened) {
  auto store = open_sqlite((folder_ / "absent" / "touchmark.db").string());
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().is(StoreError::kOpen)) << store.error().text();
}

TEST_F(SqliteStoreTest, ReportsARowThatCannotBeRead) {
  register_app(MemoryApp::make());
  sql("UPDATE registration SET measurement = '{'");
  open();
  EXPECT_TRUE(store_->registrations().error().is(StoreError::kCorrupt));
}

TEST(SqliteStoreInMemory, Works) {
  auto store = open_sqlite(":memory:");
  ASSERT_TRUE(store);
  const MemoryApp app = MemoryApp::make();
  ASSERT_TRUE(testing::write(**store, &Transaction::put_registration, app.registration(kNow),
                             app.reader()));
  EXPECT_EQ((*store)->part_range(crypto::sha256(app.contents.at("classes.dex")), 0, 7)->size(), 7U);
  EXPECT_TRUE((*store)->ping());
}

}  // namespace
}  // namespace touchmark::verifier::store
