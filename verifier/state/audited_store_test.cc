#include "verifier/state/audited_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::state {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuditedStoreTest : public ::testing::Test {
 protected:
  std::size_t entries() { return store_->audit_log(1000).value().size(); }

  testing::ManualClock clock_;
  std::unique_ptr<store::Store> store_ = std::move(store::open_sqlite(":memory:").value());
  AuditedStore audited_{*store_, clock_};
};

TEST_F(AuditedStoreTest, NotesAChangeThatItMade) {
  bool published = false;
  ASSERT_TRUE(audited_.change(
      "alice", "api.put", "a.example",
      [](store::Transaction& transaction) {
        return transaction.put_api({"a.example", {}});
      },
      [&] { published = true; }));
  EXPECT_TRUE(published);
  EXPECT_THAT(store_->apis({}).value(), SizeIs(1));
  const auto log = store_->audit_log(10).value();
  ASSERT_THAT(log, SizeIs(1));
  EXPECT_EQ(log[0].actor, "alice");
  EXPECT_EQ(log[0].action, "api.put");
  EXPECT_EQ(log[0].detail, "a.example");
  EXPECT_EQ(log[0].time, clock_.now());
}

TEST_F(AuditedStoreTest, AChangeThatFailsLeavesNothing) {
  bool published = false;
  auto failed = audited_.change(
      "alice", "api.put", "a.example",
      [](store::Transaction& transaction) -> Result<void> {
        EXPECT_TRUE(transaction.put_api({"a.example", {}}));
        return fail(store::StoreError::kIo, "made up");
      },
      [&] { published = true; });
  ASSERT_FALSE(failed);
  EXPECT_FALSE(published);
  EXPECT_THAT(store_->apis({}).value(), IsEmpty());
  EXPECT_EQ(entries(), 0U);
  ASSERT_TRUE(audited_.note("alice", "secret.read", "")) << "the next change can be made";
}

TEST_F(AuditedStoreTest, AChangeThatThrowsLeavesNothing) {
  const auto change = [&] {
    static_cast<void>(audited_.change(
        "alice", "api.put", "a.example",
        [](store::Transaction& transaction) -> Result<void> {
          EXPECT_TRUE(transaction.put_api({"a.example", {}}));
          throw std::runtime_error("no memory");
        },
        [] {}));
  };
  EXPECT_THROW(change(), std::runtime_error);
  EXPECT_THAT(store_->apis({}).value(), IsEmpty());
  EXPECT_EQ(entries(), 0U);
  ASSERT_TRUE(audited_.note("alice", "secret.read", "")) << "the next change can be made";
}

TEST_F(AuditedStoreTest, PublishesInTheStoresOrder) {
  std::vector<std::string> published;  // guarded by the order itself: a race shows in TSan
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, name = std::to_string(i)] {
        EXPECT_TRUE(audited_.change(
            name, "test", "", [](store::Transaction&) { return Result<void>(); },
            [&] { published.push_back(name); }));
      });
    }
  }
  const auto log = store_->audit_log(100).value();  // the newest first
  ASSERT_EQ(log.size(), published.size());
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[log.size() - 1 - i].actor, published[i]);
  }
}

}  // namespace
}  // namespace touchmark::verifier::state
