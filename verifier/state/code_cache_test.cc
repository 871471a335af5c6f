#include "verifier/state/code_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "crypto/crypto.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::state {
namespace {

using appraisal::ReferenceValues;
using testing::MemoryApp;

constexpr std::size_t kPiece = 64 * 1024;
const UnixTime kNow = from_unix(1'790'000'000);

// Over a store of its own. What is read after forget() was in memory.
class CodeCacheTest : public ::testing::Test {
 protected:
  Bytes dex() const { return app_.contents.at("classes.dex"); }
  Sha256Digest id() const { return crypto::sha256(dex()); }
  void put(const MemoryApp& app, UnixTime created) {
    ASSERT_TRUE(testing::put_registration(*store_, app.registration(created), app.reader()));
  }
  void forget() {
    const auto registrations = store_->registrations({}).value();
    for (const model::Registration& registration : registrations) {
      ASSERT_TRUE(
          testing::write(*store_, &store::Transaction::remove_registration, registration.id));
    }
    ASSERT_TRUE(store_->discard_unused());
  }
  static Result<Bytes> range(CodeCache& cache, const Sha256Digest& part, std::uint64_t offset,
                             std::uint64_t length) {
    Bytes out;
    auto ok = cache.read(part, offset, length, [&](ByteView bytes) { append(out, bytes); });
    if (!ok) return pass(ok);
    return out;
  }
  static Bytes slice(const Bytes& content, std::size_t from, std::size_t count) {
    return to_bytes(ByteView(content).subspan(from, count));
  }

  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  MemoryApp app_ = MemoryApp::make();
};

TEST_F(CodeCacheTest, ReadsWhatTheStoreReads) {
  put(app_, kNow);
  CodeCache cache(*store_, 1 << 20);
  for (int pass = 0; pass < 2; ++pass) {  // from the store, and from memory
    for (const std::uint64_t offset :
         {std::uint64_t{0}, std::uint64_t{kPiece - 1}, std::uint64_t{kPiece},
          std::uint64_t{3 * kPiece}, dex().size() - 1, dex().size(), dex().size() + 5,
          std::uint64_t{1} << 40, UINT64_MAX}) {
      for (const std::uint64_t length :
           {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4096}, std::uint64_t{kPiece},
            std::uint64_t{2 * kPiece}, UINT64_MAX}) {
        EXPECT_EQ(range(cache, id(), offset, length).value(),
                  store_->part_range(id(), offset, length).value())
            << offset << "+" << length;
      }
    }
  }
  EXPECT_EQ(range(cache, Sha256Digest{}, 0, 10), Bytes{});
}

TEST_F(CodeCacheTest, AsksTheStoreOnce) {
  put(app_, kNow);
  CodeCache cache(*store_, 1 << 20);
  EXPECT_EQ(range(cache, id(), 100, 4096), slice(dex(), 100, 4096));
  EXPECT_EQ(cache.bytes(), kPiece);
  forget();
  EXPECT_EQ(range(cache, id(), 0, kPiece), slice(dex(), 0, kPiece));
  EXPECT_EQ(range(cache, id(), kPiece, 1), Bytes{}) << "another piece";
}

TEST_F(CodeCacheTest, ForgetsWhatWasUnusedLongest) {
  put(app_, kNow);
  CodeCache cache(*store_, 2 * kPiece);
  for (const std::size_t piece : {0U, 1U, 0U, 2U}) {
    EXPECT_EQ(range(cache, id(), piece * kPiece, 1)->size(), 1U);
  }
  EXPECT_EQ(cache.bytes(), 2 * kPiece);
  forget();
  EXPECT_EQ(range(cache, id(), 0, 1)->size(), 1U);
  EXPECT_EQ(range(cache, id(), kPiece, 1)->size(), 0U);
  EXPECT_EQ(range(cache, id(), 2 * kPiece, 1)->size(), 1U);
}

TEST_F(CodeCacheTest, WithoutRoomKeepsNothingAndStillReads) {
  put(app_, kNow);
  CodeCache cache(*store_, 0);
  ASSERT_TRUE(cache.fill(ReferenceValues::of({app_.registration(kNow)})));
  EXPECT_EQ(range(cache, id(), 0, 10), slice(dex(), 0, 10));
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST_F(CodeCacheTest, IsFilledWithTheNewestFirst) {
  const MemoryApp older = MemoryApp::make("com.example.app", "older");
  const MemoryApp newer = MemoryApp::make("com.example.app", "newer");
  put(older, kNow);
  put(newer, kNow + Seconds(60));
  const auto references =
      ReferenceValues::of({older.registration(kNow), newer.registration(kNow + Seconds(60))});
  CodeCache cache(*store_, 250'000);  // room for one of them
  ASSERT_TRUE(cache.fill(references));
  ASSERT_TRUE(cache.fill(references)) << "once is enough";
  forget();
  const Bytes& content = newer.contents.at("classes.dex");
  EXPECT_EQ(range(cache, crypto::sha256(content), 0, content.size()), content);
  const Bytes& library = newer.contents.at("lib/arm64-v8a/libapp.so");
  EXPECT_EQ(range(cache, crypto::sha256(library), 0, library.size()), library);
  EXPECT_EQ(range(cache, crypto::sha256(older.contents.at("classes.dex")), 0, 1), Bytes{});
}

TEST_F(CodeCacheTest, IsFilledAgainWhenSomethingNewIsRegistered) {
  put(app_, kNow);
  CodeCache cache(*store_, 1 << 20);
  auto references = ReferenceValues::of({app_.registration(kNow)});
  ASSERT_TRUE(cache.fill(references));
  const MemoryApp next = MemoryApp::make("com.example.app", "next");
  put(next, kNow + Seconds(60));
  ASSERT_TRUE(cache.fill(references->with(next.registration(kNow + Seconds(60)))));
  forget();
  EXPECT_EQ(range(cache, id(), 0, 1)->size(), 1U);
  const Bytes& content = next.contents.at("classes.dex");
  EXPECT_EQ(range(cache, crypto::sha256(content), 0, content.size()), content);
}

TEST_F(CodeCacheTest, IsReadByManyThreadsAtOnce) {
  put(app_, kNow);
  CodeCache cache(*store_, 2 * kPiece);  // so that pieces come and go
  const auto references = ReferenceValues::of({app_.registration(kNow)});
  std::atomic<int> right{0};
  std::vector<std::jthread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < 100; ++i) {
        const std::size_t offset = (i * 7919 + thread * 40'000) % (dex().size() - 4096);
        if (range(cache, id(), offset, 4096) == slice(dex(), offset, 4096)) ++right;
        if (i % 50 == 0) static_cast<void>(cache.fill(references));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 400);
}

}  // namespace
}  // namespace touchmark::verifier::state
