#include "verifier/state/revocation_source.h"

#include <gtest/gtest.h>

#include <fstream>

#include "net/testing/https_double.h"
#include "tests/support/settable_clock.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::verifier::state {
namespace {

namespace fs = std::filesystem;
using touchmark::testing::HttpsDouble;
using touchmark::testing::SettableClock;
using Answer = HttpsDouble::Answer;

constexpr const char* kList = R"({"entries":{"2a":{"status":"REVOKED"}}})";
constexpr const char* kLongerList =
    R"({"entries":{"2a":{"status":"REVOKED"},"2b":{"status":"SUSPENDED"}}})";

class RevocationSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    settings_.location = server_.url() + "/status";
    settings_.cache = folder_ / "cache";
    settings_.retries.sleep = [](std::chrono::milliseconds) {};
  }

  Answer answer(const HttpsDouble::Request& request) const {
    const auto etag = request.headers.find("if-none-match");
    if (!etag_.empty() && etag != request.headers.end() && etag->second == etag_) {
      return {.status = 304};
    }
    Answer answer = answer_;
    if (!etag_.empty()) answer.headers.push_back("ETag: " + etag_);
    return answer;
  }
  static std::string current(const RevocationSource& source) {
    auto list = source.current();
    if (!list) return list.error().id();
    return *list ? std::to_string((*list)->size()) : "none";
  }
  static std::string refresh(RevocationSource& source) {
    auto done = source.refresh();
    return done ? "done" : done.error().id();
  }

  Answer answer_{.body = kList};
  std::string etag_ = "\"one\"";
  HttpsDouble server_{[this](const HttpsDouble::Request& request) { return answer(request); }};
  std::unique_ptr<net::HttpClient> client_ = net::curl_http_client({.ca_file = server_.ca_file()});
  SettableClock clock_{from_unix(1790000000)};
  RevocationSettings settings_;
  const touchmark::testing::TemporaryFolder folder_;
};

TEST_F(RevocationSourceTest, FetchesOnceAndThenAsksWhatIsNew) {
  RevocationSource source(settings_, *client_, clock_);
  EXPECT_EQ(current(source), "none");
  EXPECT_EQ(refresh(source), "done");
  EXPECT_EQ(current(source), "1");
  EXPECT_NE(source.current().value()->find("2a"), nullptr);
  clock_.advance(Seconds(100));
  EXPECT_EQ(refresh(source), "done");
  EXPECT_EQ(server_.requests().back().headers.at("if-none-match"), "\"one\"");
  EXPECT_EQ(source.status().confirmed, clock_.now());
  etag_ = "\"two\"";
  answer_.body = kLongerList;
  EXPECT_EQ(refresh(source), "done");
  EXPECT_EQ(current(source), "2");
}

TEST_F(RevocationSourceTest, AFailureLeavesTheListInForce) {
  RevocationSource source(settings_, *client_, clock_);
  ASSERT_EQ(refresh(source), "done");
  etag_.clear();
  for (const auto& [answer, id] : {std::pair{Answer{.body = "<html>"}, "revocation.malformed"},
                                   std::pair{Answer{.status = 500}, "revocation.status"},
                                   std::pair{Answer{.hang_up = true}, "http.unreachable"}}) {
    answer_ = answer;
    EXPECT_EQ(refresh(source), id);
    EXPECT_TRUE(source.status().problem->starts_with(id));
    EXPECT_EQ(current(source), "1");
  }
  answer_ = {.body = kList};
  EXPECT_EQ(refresh(source), "done");
  EXPECT_FALSE(source.status().problem);
}

TEST_F(RevocationSourceTest, FailsClosedWithoutAFreshListWhenAsked) {
  settings_.cache.clear();
  settings_.max_age = Seconds(1000);
  settings_.fail_closed = true;
  RevocationSource closed(settings_, *client_, clock_);
  EXPECT_EQ(current(closed), "revocation.missing");
  ASSERT_EQ(refresh(closed), "done");
  clock_.advance(Seconds(1000));
  EXPECT_EQ(current(closed), "1");
  clock_.advance(Seconds(1));
  EXPECT_EQ(current(closed), "revocation.too-old");
  // A confirmation counts like a new list.
  ASSERT_EQ(refresh(closed), "done");
  EXPECT_EQ(current(closed), "1");

  settings_.fail_closed = false;
  RevocationSource open(settings_, *client_, clock_);
  ASSERT_EQ(refresh(open), "done");
  clock_.advance(Seconds(5000));
  EXPECT_EQ(current(open), "1");
}

TEST_F(RevocationSourceTest, TheCacheServesARestartAndKeepsItsAge) {
  settings_.fail_closed = true;
  settings_.max_age = Seconds(1000);
  {
    RevocationSource source(settings_, *client_, clock_);
    ASSERT_EQ(refresh(source), "done");
  }
  clock_.advance(Seconds(900));
  RevocationSource restarted(settings_, *client_, clock_);
  EXPECT_EQ(current(restarted), "1");
  clock_.advance(Seconds(101));
  EXPECT_EQ(current(restarted), "revocation.too-old");
  EXPECT_EQ(refresh(restarted), "done");
  EXPECT_EQ(server_.requests().back().headers.at("if-none-match"), "\"one\"");
  EXPECT_EQ(current(restarted), "1");

  RevocationSettings other = settings_;
  other.location += "/other";
  EXPECT_EQ(current(RevocationSource(other, *client_, clock_)), "revocation.missing");
  std::ofstream(settings_.cache) << "{\"damaged\n";
  EXPECT_EQ(current(RevocationSource(settings_, *client_, clock_)), "revocation.missing");
}

TEST_F(RevocationSourceTest, AFileIsReadAgainAndAgesByItsLastChange) {
  const fs::path file = folder_ / "status.json";
  settings_.location = file.string();
  settings_.fail_closed = true;
  settings_.max_age = Seconds(1000);
  RevocationSource source(settings_, *client_, clock_);
  EXPECT_EQ(refresh(source), "file.io");
  EXPECT_EQ(current(source), "revocation.missing");
  std::ofstream(file) << kList;
  ASSERT_EQ(refresh(source), "done");
  clock_.set(*source.status().confirmed + Seconds(1000));
  EXPECT_EQ(current(source), "1");
  clock_.advance(Seconds(1));
  EXPECT_EQ(current(source), "revocation.too-old");
  std::ofstream(file) << kLongerList;
  clock_.set(SystemClock().now());
  ASSERT_EQ(refresh(source), "done");
  EXPECT_EQ(current(source), "2");
  EXPECT_EQ(server_.count(), 0U);
}

TEST_F(RevocationSourceTest, RefreshesInTheBackgroundUntilItEnds) {
  settings_.refresh_interval = Seconds(1);
  etag_.clear();
  {
    RevocationSource source(settings_, *client_, clock_);
    source.start();
    for (int i = 0; i < 100 && server_.count() < 2; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_GE(server_.count(), 2U);
    EXPECT_EQ(current(source), "1");
  }
  const std::size_t sent = server_.count();
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_EQ(server_.count(), sent);
}

// Plays a service that has no memory for an answer, or no log for what came of it.
class ThrowingClient final : public net::HttpClient {
 public:
  Result<net::HttpAnswer> send(const net::HttpRequest&) override {
    ++count;
    throw std::bad_alloc();
  }
  std::atomic<int> count = 0;
};

TEST_F(RevocationSourceTest, AnExceptionIsAListThatCannotBeHad) {
  ThrowingClient client;
  settings_.retry_interval = Seconds(1);
  settings_.on_refresh = [](const Result<void>&) { throw std::runtime_error("no log"); };
  RevocationSource source(settings_, client, clock_);
  source.start();
  for (int i = 0; i < 200 && client.count < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_GE(client.count, 2);
  EXPECT_EQ(source.status().problem.value_or("").substr(0, 17), "revocation.failed");
}

}  // namespace
}  // namespace touchmark::verifier::state
