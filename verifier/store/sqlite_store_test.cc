#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <new>
#include <thread>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "tests/support/temporary_folder.h"
#include "verifier/store/database.h"
#include "verifier/store/store.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::store {
namespace {

namespace fs = std::filesystem;
using testing::MemoryApp;

constexpr UnixTime kNow{Seconds(1'790'000'000)};

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
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
    auto ok = testing::put_registration(*store_, app.registration(kNow, expires), app.reader());
    ASSERT_TRUE(ok) << ok.error().text();
  }

  const touchmark::testing::TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteStoreTest, KeepsRegistrationsOverReopening) {
  const MemoryApp app = MemoryApp::make();
  register_app(app, kNow + Seconds(600));
  open();
  auto kept = store_->registrations({});
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
  auto kept = store_->registrations({});
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

// A statement that is kept must not keep what it has seen: others write, and the log of what they
// wrote must be folded back into the file.
TEST_F(SqliteStoreTest, ReadingARangeHoldsNoTransactionOpen) {
  const MemoryApp app = MemoryApp::make();
  register_app(app);
  const Sha256Digest dex = crypto::sha256(app.contents.at("classes.dex"));
  ASSERT_EQ(store_->part_range(dex, 0, 4)->size(), 4U);
  auto other = Database::open(path());
  ASSERT_TRUE(other);
  EXPECT_EQ(other->integer("PRAGMA wal_checkpoint(TRUNCATE)").value(), 0) << "is not busy";
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
  ASSERT_TRUE(store_->discard_unused());
  EXPECT_EQ(store_->part_range(dex, 0, 4)->size(), 4U);
  ASSERT_TRUE(
      testing::write(*store_, &Transaction::remove_registration, second.registration(kNow).id));
  ASSERT_TRUE(store_->discard_unused());
  EXPECT_EQ(store_->part_range(dex, 0, 4)->size(), 0U);
}

TEST_F(SqliteStoreTest, RefusesContentThatIsNotTheMeasured) {
  MemoryApp app = MemoryApp::make();
  app.contents["classes.dex"][100] ^= std::byte{1};
  auto ok = testing::put_registration(*store_, app.registration(kNow), app.reader());
  ASSERT_FALSE(ok);
  EXPECT_TRUE(ok.error().is(StoreError::kCorrupt));
  EXPECT_TRUE(store_->registrations({})->empty());
}

TEST_F(SqliteStoreTest, UndoesAChangeThatFails) {
  auto failed = store_->write([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put("name", as_bytes("value")));
    EXPECT_TRUE(transaction.put_api({"a.example", {}}));
    EXPECT_EQ(transaction.apis({})->size(), 1U) << "it sees what it did";
    return fail(StoreError::kIo, "made up");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "made up");
  EXPECT_EQ(store_->get("name").value(), std::optional<Bytes>());
  EXPECT_TRUE(store_->apis({})->empty());
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
  ASSERT_TRUE(testing::write(
      *store_, &Transaction::put_operator_token,
      {"ops", model::Role::kAdmin, crypto::sha256(as_bytes("x")), std::nullopt, {}, kNow, "ann"}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_operator_token,
                             {"build", model::Role::kCi, {}, kNow + Seconds(5), {"a", "b"}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_operator_token, {"gone"}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::remove_operator_token, "gone"));
  EXPECT_TRUE(testing::write(*store_, &Transaction::remove_operator_token, "gone")
                  .error()
                  .is(StoreError::kNotFound));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put, "empty", {}));
  open();
  auto apis = store_->apis({});
  ASSERT_EQ(apis->size(), 2U);
  EXPECT_EQ((*apis)[0].domain, "a.example");
  EXPECT_THAT((*apis)[0].pins, ::testing::ElementsAre("pin 3"));
  EXPECT_THAT((*apis)[1].pins, ::testing::ElementsAre("pin 1", "pin 2"));
  auto tokens = store_->operator_tokens({});
  ASSERT_EQ(tokens->size(), 2U);
  EXPECT_EQ((*tokens)[0].role, model::Role::kCi);
  EXPECT_EQ((*tokens)[0].expires, kNow + Seconds(5));
  EXPECT_THAT((*tokens)[0].apps, ::testing::ElementsAre("a", "b"));
  EXPECT_EQ((*tokens)[1].role, model::Role::kAdmin);
  EXPECT_EQ((*tokens)[1].token_sha256, crypto::sha256(as_bytes("x")));
  EXPECT_EQ((*tokens)[1].expires, std::nullopt);
  EXPECT_EQ((*tokens)[1].created, kNow);
  EXPECT_EQ((*tokens)[1].created_by, "ann");
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

class SealedAuditTest : public SqliteStoreTest {
 protected:
  void open_sealed() {
    open();
    store_->seal_audit_with(key_);
  }
  void note(const std::string& detail) {
    ASSERT_TRUE(
        testing::write(*store_, &Transaction::audit, {kNow, "admin", "api.put", detail, {}}));
  }
  // A log of six entries whose end was sealed before the first.
  void SetUp() override {
    SqliteStoreTest::SetUp();
    ASSERT_TRUE(testing::write(*store_, &Transaction::seal_audit_end, key_));
    open_sealed();
    for (int i = 1; i <= 6; ++i) note(std::to_string(i));
    ASSERT_EQ(store_->verify_audit(), 6U);
  }
  // What verify_audit() says after `change` behind the store's back, and after one more entry.
  std::string problem_after(const std::string& change) {
    sql(change);
    open_sealed();
    auto broken = store_->verify_audit();
    EXPECT_FALSE(broken) << change;
    if (broken) return "";
    EXPECT_TRUE(broken.error().is(StoreError::kCorrupt));
    note("after");
    EXPECT_FALSE(store_->verify_audit()) << "a later entry does not hide it: " << change;
    return broken.error().message();
  }
  const Bytes key_ = Bytes(32, std::byte{0x5a});
};

TEST_F(SealedAuditTest, ShowsThatTheNewestEntriesWereCutOff) {
  EXPECT_THAT(problem_after("DELETE FROM audit WHERE number > 4"),
              ::testing::HasSubstr("ends at entry 4, and 6 were written"));
}

TEST_F(SealedAuditTest, ShowsThatAllEntriesWereRemoved) {
  EXPECT_THAT(problem_after("DELETE FROM audit"),
              ::testing::HasSubstr("ends at entry 0, and 6 were written"));
}

TEST_F(SealedAuditTest, ShowsThatTheSealWasRemovedWithThem) {
  EXPECT_THAT(problem_after("DELETE FROM audit; DELETE FROM setting WHERE name = 'audit.end'"),
              ::testing::HasSubstr("missing or forged"));
}

TEST_F(SealedAuditTest, ShowsASealThatSomebodyElseMade) {
  // The whole log of another store, which has another key, chain and seal in order.
  const touchmark::testing::TemporaryFolder folder;
  const std::string other = (folder / "touchmark.db").string();
  const Bytes other_key(32, std::byte{1});
  {
    auto store = open_sqlite(other).value();
    ASSERT_TRUE(testing::write(*store, &Transaction::seal_audit_end, other_key));
    store->seal_audit_with(other_key);
    ASSERT_TRUE(testing::write(*store, &Transaction::audit, {kNow, "admin", "x", "", {}}));
    ASSERT_EQ(store->verify_audit(), 1U);
  }
  EXPECT_THAT(problem_after("ATTACH '" + other +
                            "' AS other; DELETE FROM audit;"
                            "INSERT INTO audit SELECT * FROM other.audit;"
                            "REPLACE INTO setting SELECT * FROM other.setting"),
              ::testing::HasSubstr("missing or forged"));
}

TEST_F(SealedAuditTest, ShowsAChainThatWasMadeAgainFromTheStart) {
  // Without the seal it would follow: entries 1 to 6 by the store itself, with other words.
  sql("DELETE FROM audit");
  open();  // without the key, as an attacker runs it
  for (int i = 1; i <= 6; ++i) note("forged");
  ASSERT_EQ(store_->verify_audit(), 6U) << "the chain alone is in order";
  EXPECT_THAT(problem_after("SELECT 1"), ::testing::HasSubstr("entry 6 is another"));
}

TEST_F(SealedAuditTest, ShowsAnEntryThatWasAppended) {
  sql("SELECT 1");
  open();
  note("forged");
  problem_after("SELECT 1");
}

TEST_F(SealedAuditTest, StaysInOrderOverReopeningAndFailedChanges) {
  auto failed = store_->write([](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.audit({kNow, "admin", "x", "", {}}));
    return fail(StoreError::kIo, "made up");
  });
  ASSERT_FALSE(failed);
  open_sealed();
  note("7");
  EXPECT_EQ(store_->verify_audit(), 7U);
}

TEST_F(SqliteStoreTest, SealsTheLogOfAnEarlierVersionAsItIs) {
  const Bytes key(32, std::byte{7});
  ASSERT_TRUE(testing::write(*store_, &Transaction::audit, {kNow, "admin", "x", "1", {}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::seal_audit_end, key));
  store_->seal_audit_with(key);
  EXPECT_EQ(store_->verify_audit(), 1U);
  sql("DELETE FROM audit");
  open();
  store_->seal_audit_with(key);
  EXPECT_FALSE(store_->verify_audit());
}

TEST_F(SqliteStoreTest, FollowsALogOfManyPages) {
  auto many = store_->write([](Transaction& transaction) -> Result<void> {
    for (int i = 0; i < 9000; ++i) {
      if (auto ok = transaction.audit({kNow, "admin", "x", "", {}}); !ok) return ok;
    }
    return {};
  });
  ASSERT_TRUE(many);
  EXPECT_EQ(store_->verify_audit(), 9000U);
  sql("UPDATE audit SET detail = 'y' WHERE number = 8999");
  open();
  EXPECT_THAT(store_->verify_audit().error().message(), ::testing::HasSubstr("8999"));
}

// --- Content -------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, OthersWriteAndReadWhileContentComes) {
  const MemoryApp app = MemoryApp::make();
  const Sha256Digest key_id{std::byte{1}};
  const Sha256Digest installation{std::byte{2}};
  ASSERT_EQ(store_->add_app_attest_key(key_id, {Bytes(91), true, {}}, installation), true);
  std::uint32_t counter = 0;
  const PartReader slow = [&](const package::Part& part, const auto& sink) -> Result<void> {
    const Bytes& content = app.contents.at(part.name);
    for (std::size_t at = 0; at < content.size(); at += 4096) {
      auto ok =
          sink(ByteView(content).subspan(at, std::min<std::size_t>(4096, content.size() - at)));
      if (!ok) return ok;
      // Waiting for the upload, each of these would never come back.
      EXPECT_EQ(store_->use_app_attest_key(key_id, installation, ++counter),
                model::AppAttestUse::kTaken);
      EXPECT_TRUE(testing::write(*store_, &Transaction::put, "name", as_bytes("value")));
      EXPECT_TRUE(store_->registrations({})->empty()) << "nothing of it is seen before it is whole";
      EXPECT_TRUE(store_->discard_unused()) << "which leaves it alone";
    }
    return {};
  };
  ASSERT_TRUE(testing::put_registration(*store_, app.registration(kNow), slow));
  EXPECT_GT(counter, 40U);
  EXPECT_EQ(store_->registrations({})->size(), 1U);
  const Bytes& dex = app.contents.at("classes.dex");
  EXPECT_EQ(store_->part_range(crypto::sha256(dex), 0, dex.size()), dex);
  ASSERT_TRUE(store_->discard_unused());
  EXPECT_EQ(store_->part_range(crypto::sha256(dex), 0, dex.size()), dex);
}

TEST_F(SqliteStoreTest, ATurnAtTheWriterIsShortWhileAnotherThreadWritesWithoutAnEnd) {
  const Sha256Digest key_id{std::byte{1}};
  const Sha256Digest installation{std::byte{2}};
  ASSERT_EQ(store_->add_app_attest_key(key_id, {Bytes(91), true, {}}, installation), true);
  std::atomic<bool> done{false};
  std::atomic<int> written{0};
  std::jthread writer([&] {
    while (!done) {
      EXPECT_TRUE(testing::write(*store_, &Transaction::put, "name", Bytes(100'000)));
      ++written;
    }
  });
  while (written < 5) std::this_thread::yield();
  for (std::uint32_t i = 1; i <= 20; ++i) {
    const int before = written;
    EXPECT_EQ(store_->use_app_attest_key(key_id, installation, i), model::AppAttestUse::kTaken);
    EXPECT_LE(written - before, 3) << "others went first again and again";
  }
  done = true;
}

// Content that came halfway: the process was killed, or the reader failed or threw.
class HalfContentTest : public SqliteStoreTest {
 protected:
  enum class End { kError, kException };
  PartReader broken(End end) const {
    return [this, end](const package::Part& part, const auto& sink) -> Result<void> {
      if (part.name == "classes.dex") return sink(app_.contents.at(part.name));
      if (end == End::kException) throw std::bad_alloc();
      return fail(StoreError::kIo, "made up");
    };
  }
  std::int64_t rows(const std::string& table) {
    store_.reset();
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    std::int64_t out = -1;
    sqlite3_exec(
        raw, ("SELECT count(*) FROM " + table).c_str(),
        [](void* to, int, char** values, char**) {
          *static_cast<std::int64_t*>(to) = std::stoll(values[0]);
          return 0;
        },
        &out, nullptr);
    sqlite3_close(raw);
    open();
    return out;
  }
  const MemoryApp app_ = MemoryApp::make();
};

TEST_F(HalfContentTest, IsGoneAfterAnError) {
  auto failed = testing::put_registration(*store_, app_.registration(kNow), broken(End::kError));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "made up");
  EXPECT_EQ(rows("part_chunk"), 0);
  EXPECT_EQ(rows("loose_part"), 0);
  register_app(app_);
}

TEST_F(HalfContentTest, IsGoneAfterAnExceptionWithTheNextHousekeeping) {
  EXPECT_THROW(static_cast<void>(testing::put_registration(*store_, app_.registration(kNow),
                                                           broken(End::kException))),
               std::bad_alloc);
  ASSERT_TRUE(testing::write(*store_, &Transaction::put, "name", as_bytes("kept")));
  open();
  EXPECT_EQ(store_->get("name").value(), to_bytes(as_bytes("kept"))) << "changes go on";
  ASSERT_TRUE(store_->discard_unused());
  EXPECT_EQ(rows("part_chunk"), 0);
}

TEST_F(HalfContentTest, IsNotTakenForWholeAfterACrash) {
  // As a process leaves it that was killed between two of the short transactions.
  const std::string dex = "x'" + hex_encode(crypto::sha256(app_.contents.at("classes.dex"))) + "'";
  sql("INSERT INTO loose_part VALUES (" + dex + "); INSERT INTO part_chunk VALUES (" + dex +
      ", 0, x'00')");
  open();
  register_app(app_);
  const Bytes& content = app_.contents.at("classes.dex");
  EXPECT_EQ(store_->part_range(crypto::sha256(content), 0, content.size()), content);
  EXPECT_EQ(rows("loose_part"), 0);
}

TEST_F(HalfContentTest, StaysWhenItsOtherReleaseGoesMeanwhile) {
  register_app(app_);
  MemoryApp next = app_;
  next.measurement.version_code = 8;
  const auto registration = next.registration(kNow);
  auto done =
      store_->keep_parts(registration.measurement.parts, next.reader(), [&]() -> Result<void> {
        // The only release that has this content.
        EXPECT_TRUE(
            testing::write(*store_, &Transaction::remove_registration, app_.registration(kNow).id));
        EXPECT_TRUE(store_->discard_unused());
        return testing::write(*store_, &Transaction::put_registration, registration);
      });
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_TRUE(store_->discard_unused());
  const Bytes& content = app_.contents.at("classes.dex");
  EXPECT_EQ(store_->part_range(crypto::sha256(content), 0, content.size()), content);
}

TEST_F(HalfContentTest, ARegistrationNeedsItsContent) {
  auto refused = testing::write(*store_, &Transaction::put_registration, app_.registration(kNow));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(StoreError::kNotFound)) << refused.error().text();
  EXPECT_TRUE(store_->registrations({})->empty());
}

TEST_F(SqliteStoreTest, NamesTheRowsThatCannotBeReadAndGivesTheOthers) {
  const MemoryApp good = MemoryApp::make();
  MemoryApp bad = good;
  bad.measurement.version_code = 8;
  register_app(good);
  register_app(bad);
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_api, {"a.example", {}}));
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_api, {"b.example", {}}));
  for (const char* name : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(testing::write(*store_, &Transaction::put_operator_token, {name}));
  }
  const std::string id = bad.registration(kNow).id;
  sql("UPDATE registration SET measurement = '{' WHERE id = '" + id +
      "'; UPDATE api SET pins = '' WHERE domain = 'b.example';"
      "UPDATE operator_token SET sha256 = x'00' WHERE name = 'a';"
      "UPDATE operator_token SET role = 'root' WHERE name = 'b';"
      "UPDATE operator_token SET apps = '[1]' WHERE name = 'c';");
  open();
  std::vector<std::string> named;
  const auto name = [&](const std::string& what, const Error& why) {
    named.push_back(what);
    EXPECT_FALSE(why.message().empty());
  };
  EXPECT_EQ(store_->registrations(name)->size(), 1U);
  EXPECT_EQ(store_->apis(name)->size(), 1U);
  EXPECT_EQ(store_->operator_tokens(name)->size(), 1U);
  EXPECT_THAT(named, ::testing::ElementsAre(id, "b.example", "a", "b", "c"));
  EXPECT_TRUE(store_->apis({}).error().is(StoreError::kCorrupt));
}

TEST_F(SqliteStoreTest, GivesAppraisalsPageByPage) {
  std::vector<model::AppraisalRecord> records;
  for (int i = 0; i < 10; ++i) records.push_back({kNow, "did", true, std::to_string(i)});
  ASSERT_TRUE(testing::write(*store_, &Transaction::put_appraisals, records));
  std::string seen;
  for (std::int64_t before = INT64_MAX;;) {
    const auto page = store_->appraisals(3, std::nullopt, before).value();
    if (page.empty()) break;
    for (const auto& record : page) seen += record.content;
    before = page.back().number;
  }
  EXPECT_EQ(seen, "9876543210");
}

TEST_F(SqliteStoreTest, ReadsWhileAChangeIsBeingWritten) {
  const MemoryApp app = MemoryApp::make();
  register_app(app);
  const Sha256Digest dex = crypto::sha256(app.contents.at("classes.dex"));
  auto changed = store_->write([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put("x", as_bytes("y")));
    std::jthread reader([&] {
      EXPECT_EQ(store_->part_range(dex, 0, 4096)->size(), 4096U);
      EXPECT_EQ(store_->registrations({})->size(), 1U);
      EXPECT_TRUE(store_->verify_audit());
      EXPECT_EQ(store_->get("x").value(), std::nullopt) << "what was there before";
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
  fs::remove_all(folder_.path());
  fs::create_directory(folder_.path());
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

TEST_F(SqliteStoreTest, TellsAPermissionFromDamage) {
  store_.reset();
  // In a process of its own, as a user who may read the file and not write it.
  const auto refused_as_nobody = [this] {
    const pid_t child = ::fork();
    if (child == 0) {
      if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(3);
      auto store = open_sqlite(path());
      if (store) ::_exit(2);
      const bool says_so = store.error().message().find("may not write") != std::string::npos;
      ::_exit(store.error().is(StoreError::kPermission) && says_so ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  ::chmod(folder_.path().c_str(), 0555);
  ::chmod(path().c_str(), 0444);
  EXPECT_EQ(refused_as_nobody(), 0) << "it may be read alone";
  ::chmod(path().c_str(), 0000);
  EXPECT_EQ(refused_as_nobody(), 0) << "not even that";
  ::chmod(path().c_str(), 0666);
  for (const char* beside : {"-wal", "-shm"}) fs::remove(path() + beside);
  EXPECT_EQ(refused_as_nobody(), 0) << "the folder takes no file beside it";
  ::chmod(folder_.path().c_str(), 0700);
}

TEST_F(SqliteStoreTest, ReportsARowThatCannotBeRead) {
  register_app(MemoryApp::make());
  sql("UPDATE registration SET measurement = '{'");
  open();
  EXPECT_TRUE(store_->registrations({}).error().is(StoreError::kCorrupt));
}

TEST(SqliteStoreInMemory, Works) {
  auto store = open_sqlite(":memory:");
  ASSERT_TRUE(store);
  const MemoryApp app = MemoryApp::make();
  ASSERT_TRUE(testing::put_registration(**store, app.registration(kNow), app.reader()));
  EXPECT_EQ((*store)->part_range(crypto::sha256(app.contents.at("classes.dex")), 0, 7)->size(), 7U);
  EXPECT_TRUE((*store)->ping());
}

}  // namespace
}  // namespace touchmark::verifier::store
