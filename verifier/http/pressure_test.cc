// Who waits, who gives way and who is told to come back when there is not enough for all.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <thread>

#include "verifier/http/connection_table.h"
#include "verifier/http/failure_budget.h"
#include "verifier/http/handshake_turns.h"
#include "verifier/http/log.h"
#include "verifier/http/work_gate.h"
#include "verifier/testing/http_checks.h"
#include "verifier/testing/running_service.h"

namespace touchmark::verifier::http {
namespace {

using namespace std::chrono_literals;
using testing::bearer;
using testing::expect_problem;
using testing::MemoryApp;
using testing::MemoryLog;
using testing::RunningService;
using testing::RunningServiceOptions;
using testing::SoftAttester;
using testing::TlsClient;

AddressKey key(const std::string& address) {
  return AddressKey(boost::asio::ip::make_address(address));
}

struct Time {
  std::chrono::steady_clock::time_point now{};
  std::function<std::chrono::steady_clock::time_point()> clock() {
    return [this] { return now; };
  }
};

TEST(AddressKey, IsAnIpv4AddressOrASlash64) {
  EXPECT_EQ(key("192.0.2.1"), key("::ffff:192.0.2.1"));
  EXPECT_NE(key("192.0.2.1"), key("192.0.2.2"));
  EXPECT_EQ(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff::2"));
  EXPECT_NE(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
  EXPECT_NE(key("0.0.0.0"), key("::"));
}

TEST(FailureBudget, IsSpentByFailuresAndComesBackWithTime) {
  Time time;
  FailureBudget budget({.most = 3, .per_second = 1, .addresses = 10}, time.clock());
  EXPECT_FALSE(budget.is_spent(key("192.0.2.1")));
  for (int i = 0; i < 100; ++i) budget.charge(key("192.0.2.1"));
  EXPECT_TRUE(budget.is_spent(key("192.0.2.1")));
  EXPECT_FALSE(budget.is_spent(key("192.0.2.2"))) << "another address";
  time.now += 1s;
  EXPECT_FALSE(budget.is_spent(key("192.0.2.1"))) << "it is no deeper than empty";
  budget.charge(key("192.0.2.1"));
  EXPECT_TRUE(budget.is_spent(key("192.0.2.1")));
  budget.pay_back(key("192.0.2.1"));
  EXPECT_FALSE(budget.is_spent(key("192.0.2.1"))) << "phones that pass pay for their address";
}

TEST(FailureBudget, RemembersABoundedNumberOfAddresses) {
  FailureBudget budget({.most = 1, .per_second = 0, .addresses = 100});
  budget.charge(key("192.0.2.1"));
  for (int i = 0; i < 10'000; ++i) {
    budget.charge(key("2001:db8:0:" + std::to_string(i % 10'000) + "::1"));
    if (i % 50 == 0) budget.charge(key("192.0.2.1"));
  }
  EXPECT_EQ(budget.size(), 100U);
  EXPECT_TRUE(budget.is_spent(key("192.0.2.1"))) << "who goes on failing is not forgotten";
}

class TableTest : public ::testing::Test {
 protected:
  using Place = std::unique_ptr<ConnectionTable::Place>;
  Place admit(const std::string& address, const std::string& name = "", bool is_proxy = false) {
    return table_->admit(key(address), is_proxy, [this, name] { gone_.push_back(name); });
  }
  void limits(TableLimits limits) { table_.emplace(limits, budget_, time_.clock()); }

  Time time_;
  FailureBudget budget_{{.most = 1, .per_second = 0, .addresses = 10}};
  std::optional<ConnectionTable> table_;
  std::deque<std::string> gone_;
};

TEST_F(TableTest, LetsGiveWayWhoWaitedLongestForWhatItDoes) {
  limits({.most = 3});
  auto silent = admit("192.0.2.1", "silent");
  auto signing = admit("192.0.2.2", "signing");
  signing->enter(Stage::kIdle);
  auto dripping = admit("192.0.2.3", "dripping");
  dripping->enter(Stage::kHeader);
  time_.now += 200ms;
  auto fourth = admit("192.0.2.4", "fourth");
  EXPECT_EQ(gone_, std::deque<std::string>{"silent"}) << "who knows what to ask asks at once";
  silent.reset();
  fourth->enter(Stage::kHandshake);
  time_.now += 1s;
  auto fifth = admit("192.0.2.5", "fifth");
  EXPECT_EQ(gone_.back(), "dripping");
  dripping.reset();
  fourth->enter(Stage::kAtWork);
  for (int i = 0; i < 20; ++i) {
    fifth->enter(Stage::kAnswer);
    fifth->enter(Stage::kAtWork);
  }
  fifth->enter(Stage::kIdle);
  auto sixth = admit("192.0.2.6", "sixth");
  EXPECT_EQ(gone_.back(), "fifth") << "it was answered twenty times, and the phone once";
}

TEST_F(TableTest, LetsAFloodGiveWayToItself) {
  limits({.most = 100});
  auto phone = admit("192.0.2.1", "phone");
  phone->enter(Stage::kHandshake);
  std::deque<Place> flood;
  for (int i = 0; i < 2000; ++i) {
    time_.now += 1ms;
    if (i == 300) phone->enter(Stage::kUnused);
    if (i == 320) phone->enter(Stage::kAtWork);
    if (i == 330) phone->enter(Stage::kIdle);
    if (i == 900) phone->enter(Stage::kBody);
    flood.push_back(admit("198.51.100.1", "flood"));
    if (flood.size() > 99) flood.pop_front();
  }
  EXPECT_EQ(std::ranges::count(gone_, "phone"), 0);
}

TEST_F(TableTest, LetsNobodyGiveWayWhoIsAtWork) {
  limits({.most = 3, .reserve = 1});
  auto first = admit("192.0.2.1");
  auto second = admit("192.0.2.2");
  first->enter(Stage::kAtWork);
  second->enter(Stage::kAtWork);
  EXPECT_FALSE(first->in_reserve());
  auto third = admit("192.0.2.3");
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->in_reserve());
  third->enter(Stage::kAtWork);
  EXPECT_FALSE(admit("192.0.2.4"));
  EXPECT_TRUE(gone_.empty());
  second->enter(Stage::kIdle);
  EXPECT_TRUE(admit("192.0.2.4"));
  EXPECT_EQ(gone_.size(), 1U);
}

TEST_F(TableTest, KeepsAnOperatorsConnection) {
  limits({.most = 1});
  auto mine = admit("192.0.2.1");
  mine->enter(Stage::kIdle);
  mine->keep();
  mine->enter(Stage::kBody);
  time_.now += 60s;
  EXPECT_FALSE(admit("192.0.2.2"));
  EXPECT_TRUE(gone_.empty());
}

TEST_F(TableTest, BoundsWhatWaitsOfOneAddress) {
  limits({.most = 100, .per_address = 10});
  std::vector<Place> places;
  auto other = admit("192.0.2.99", "other");
  for (int i = 0; i < 10; ++i) places.push_back(admit("192.0.2.1", std::to_string(i)));
  EXPECT_TRUE(gone_.empty());
  for (auto& place : places) place->enter(Stage::kAtWork);
  for (int i = 10; i < 20; ++i) places.push_back(admit("192.0.2.1", std::to_string(i)));
  EXPECT_TRUE(gone_.empty()) << "phones that are served do not count";
  places.push_back(admit("192.0.2.1", "20"));
  EXPECT_EQ(gone_, std::deque<std::string>{"10"}) << "its own oldest one";
  for (int i = 0; i < 30; ++i) places.push_back(admit("192.0.2.7", "proxy", true));
  EXPECT_EQ(gone_.size(), 1U) << "a proxy is many";
  budget_.charge(key("192.0.2.5"));
  for (int i = 0; i < 9; ++i) places.push_back(admit("192.0.2.5", "failing"));
  EXPECT_EQ(gone_.size(), 2U) << "who never asks for anything has less";
}

TEST_F(TableTest, ShortensTimesTheFullerItIs) {
  limits({.most = 100});
  std::vector<Place> places;
  EXPECT_EQ(table_->shortened(60s), 60s);
  for (int i = 0; i < 50; ++i) places.push_back(admit("192.0.2.1"));
  EXPECT_EQ(table_->shortened(60s), 15s);
  for (int i = 0; i < 30; ++i) places.push_back(admit("192.0.2.1"));
  EXPECT_EQ(table_->shortened(60s), 5s);
  EXPECT_EQ(table_->shortened(10s), 2s);
  EXPECT_EQ(table_->shortened(1s), 1s);
  places.clear();
  EXPECT_EQ(table_->shortened(60s), 60s);
}

class GateTest : public ::testing::Test {
 protected:
  using Rank = WorkGate::Rank;
  // Enters, and notes its name, or "-name" when it is sent away.
  void enter(Rank rank, const std::string& name) {
    boost::asio::co_spawn(
        io_,
        [this, rank, name]() -> boost::asio::awaitable<void> {
          auto place = co_await gate_->enter(rank);
          order_.push_back((place ? "" : "-") + name);
          if (place) inside_.push_back(std::move(*place));
        },
        boost::asio::detached);
    run();
  }
  void leave() {
    inside_.pop_front();
    run();
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  boost::asio::io_context io_;
  std::optional<WorkGate> gate_;
  std::deque<WorkGate::Place> inside_;
  std::vector<std::string> order_;
};

class TurnsTest : public ::testing::Test {
 protected:
  using Names = std::vector<std::string>;

  // Asks for a turn, and notes its name, or "-name" when none came.
  void ask(const std::string& address, const std::string& name,
           std::chrono::milliseconds longest = 1h) {
    boost::asio::co_spawn(
        io_,
        [this, address, name, longest]() -> boost::asio::awaitable<void> {
          auto turn = co_await turns_.next(key(address), longest, waits_[name]);
          order_.push_back((turn ? "" : "-") + name);
          if (turn) held_.push_back(std::move(*turn));
        },
        boost::asio::detached);
    run();
  }
  void end(const std::string& name) {
    if (const auto wait = waits_[name].lock()) wait->cancel();
    run();
  }
  void give_back() {
    held_.pop_front();
    run();
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  HandshakeTurns turns_{1};
  boost::asio::io_context io_;
  std::map<std::string, std::weak_ptr<boost::asio::steady_timer>> waits_;
  std::deque<HandshakeTurns::Turn> held_;
  Names order_;
};

TEST_F(TurnsTest, GoRoundTheAddresses) {
  for (int i = 0; i < 5; ++i) ask("198.51.100.1", "flood" + std::to_string(i));
  ask("192.0.2.1", "phone");
  ask("2001:db8::1", "v6");
  ask("2001:db8::ffff", "v6 of the same network");
  EXPECT_EQ(order_, Names{"flood0"});
  EXPECT_EQ(turns_.waiting(), 7U);
  for (int i = 0; i < 7; ++i) give_back();
  EXPECT_EQ(order_, (Names{"flood0", "flood1", "phone", "v6", "flood2", "v6 of the same network",
                           "flood3", "flood4"}));
  give_back();
  ask("192.0.2.1", "again");
  EXPECT_EQ(order_.back(), "again") << "nobody waits";
  held_.clear();
}

TEST_F(TurnsTest, AreNotHeldForWhoLeftOrWaitedTooLong) {
  ask("192.0.2.1", "a");
  ask("192.0.2.1", "gone");
  ask("192.0.2.2", "gone too");
  ask("192.0.2.2", "b");
  ask("192.0.2.3", "late", 20ms);
  end("gone");
  end("gone too");
  EXPECT_EQ(order_, (Names{"a", "-gone", "-gone too"}));
  std::this_thread::sleep_for(50ms);
  run();
  EXPECT_EQ(order_.back(), "-late");
  EXPECT_EQ(turns_.waiting(), 1U);
  give_back();
  EXPECT_EQ(order_.back(), "b");
  held_.clear();
  ask("192.0.2.3", "c");
  EXPECT_EQ(order_.back(), "c");
  held_.clear();
}

TEST_F(GateTest, LetsPhonesInFirst) {
  gate_.emplace(GateSettings{.at_once = 1, .waiting = 10});
  enter(Rank::kAgain, "a");
  enter(Rank::kAgain, "again");
  enter(Rank::kFromSpentAddress, "spent");
  enter(Rank::kFirst, "first");
  enter(Rank::kFirst, "first2");
  EXPECT_EQ(order_, std::vector<std::string>{"a"});
  for (int i = 0; i < 5; ++i) leave();
  EXPECT_EQ(order_, (std::vector<std::string>{"a", "first", "first2", "spent", "again"}));
  enter(Rank::kAgain, "b");
  EXPECT_EQ(order_.back(), "b") << "there is room again";
  inside_.clear();
}

TEST_F(GateTest, SendsAwayTheWorstWhenTooManyWait) {
  gate_.emplace(GateSettings{.at_once = 1, .waiting = 2});
  enter(Rank::kFirst, "a");
  enter(Rank::kAgain, "b");
  enter(Rank::kAgain, "c");
  enter(Rank::kAgain, "d");
  EXPECT_EQ(order_.back(), "-d");
  enter(Rank::kFirst, "e");
  EXPECT_EQ(order_.back(), "-c");
  inside_.clear();
  run();
  EXPECT_EQ(order_.back(), "e");
  inside_.clear();
  run();
  inside_.clear();
}

TEST_F(GateTest, SendsAwayWhoWaitsTooLong) {
  gate_.emplace(GateSettings{.at_once = 1, .waiting = 10, .longest_wait = 20ms});
  enter(Rank::kFirst, "a");
  enter(Rank::kFirst, "b");
  std::this_thread::sleep_for(50ms);
  run();
  EXPECT_EQ(order_.back(), "-b");
  inside_.clear();
  enter(Rank::kFirst, "c");
  EXPECT_EQ(order_.back(), "c") << "who left took no place with them";
  inside_.clear();
}

TEST(Log, BoundsWhatClientsCanWrite) {
  MemoryLog log;
  const Json fields{{"text", std::string(1000, 'x')}};
  for (int i = 0; i < 20'000; ++i) log.client(LogLevel::kWarning, "flood", fields);
  log.client(LogLevel::kWarning, "other", fields);
  const std::size_t written = log.events("flood").size();
  EXPECT_GT(written, 3'000U);
  EXPECT_LT(written, 6'000U);
  EXPECT_EQ(log.events("other").size(), 1U);
  log.report_dropped();
  log.report_dropped();
  std::size_t told = 0;
  for (const Json& dropped : log.events("log.dropped")) {
    EXPECT_EQ(dropped["event"], "flood");
    told += dropped["count"].get<std::size_t>();
  }
  EXPECT_EQ(told + written, 20'000U) << "what is left out is counted";
}

TEST(Pressure, IdleConnectionsGiveWayToNewOnes) {
  RunningServiceOptions options;
  options.server.max_connections = 16;
  RunningService running(options);
  std::deque<TlsClient> idle;
  for (int i = 0; i < 60; ++i) {
    idle.emplace_back(running.port());
    ASSERT_TRUE(idle.back().connected()) << i;
    ASSERT_TRUE(idle.back().request("GET", "/healthz")) << i;
  }
  EXPECT_TRUE(idle.front().closed());
  EXPECT_TRUE(idle.back().request("GET", "/healthz"));
  EXPECT_LE(running.server().connections(), 17U);
}

TEST(Pressure, AnswersWith503WhenAllAreAtWork) {
  RunningServiceOptions options;
  options.server.protection.gate = {.at_once = 0, .waiting = 0, .longest_wait = 100ms};
  RunningService running(options);
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  TlsClient client(running.port());
  const auto response = client.request("POST", "/v1/challenge", attester.challenge_request());
  expect_problem(response, 503, "http.busy");
  EXPECT_GT(std::stoi(response->headers.at("retry-after")), 0);
  EXPECT_TRUE(client.closed());
  TlsClient other(running.port());
  EXPECT_EQ(other.request("GET", "/healthz")->status, 200);
  EXPECT_EQ(other.request("GET", "/admin/v1/status", "", bearer(running.admin()))->status, 200);
}

TEST(Pressure, BoundsTheMemoryOfBodies) {
  RunningServiceOptions options;
  options.server.protection.body_bytes = 40'000;
  RunningService running(options);
  const std::string head = "POST /v1/attest HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n";
  TlsClient first(running.port());
  first.send(head + std::string(29'000, ' '));
  std::this_thread::sleep_for(200ms);
  TlsClient second(running.port());
  second.send(head + std::string(30'000, ' '));
  expect_problem(second.receive(), 503, "http.busy");
  first.send(std::string(1'000, ' '));
  EXPECT_EQ(first.receive()->status, 400) << "it had its place before";
  TlsClient third(running.port());
  third.send(head + std::string(30'000, ' '));
  EXPECT_EQ(third.receive()->status, 400) << "what was read is given back";
}

TEST(Pressure, WrongOperatorTokensNeverKeepTheRightOneOut) {
  RunningServiceOptions options;
  options.server.protection.wrong_tokens = {.most = 5, .per_second = 0};
  RunningService running(options);
  std::optional<testing::RawResponse> last;
  for (int i = 0; i < 6; ++i) {
    TlsClient client(running.port());
    last = client.request("GET", "/admin/v1/status", "", bearer("tmk_admin_wrong"));
    ASSERT_TRUE(last);
  }
  expect_problem(last, 429, "http.too-many-failures");
  EXPECT_GT(std::stoi(last->headers.at("retry-after")), 0);
  EXPECT_EQ(last->headers.at("connection"), "close");
  TlsClient client(running.port());
  EXPECT_EQ(client.request("GET", "/admin/v1/status", "", bearer(running.admin()))->status, 200);
}

TEST(Pressure, RefusedEvidenceIsAnsweredLikeAnyOther) {
  RunningServiceOptions options;
  options.server.protection.refused = {.most = 3, .per_second = 0};
  RunningService running(options);
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  for (int i = 0; i < 20; ++i) {
    TlsClient client(running.port());
    EXPECT_TRUE(testing::attest(client, attester).contains("token")) << i;
  }
}

TEST(AdminPort, IsWhereOperatorsAreMet) {
  RunningServiceOptions options;
  options.admin_port = true;
  options.server.max_connections = 2;
  RunningService running(options);
  const std::string admin = bearer(running.admin());
  TlsClient app(running.port());
  expect_problem(app.request("GET", "/admin/v1/status", "", admin), 404, "http.not-found");
  expect_problem(app.request("OPTIONS", "/admin/v1/status"), 404, "http.not-found");
  expect_problem(app.request("DELETE", "/admin/v1/status", "", admin), 404, "http.not-found");
  EXPECT_EQ(app.request("GET", "/healthz")->status, 200);
  expect_problem(app.request("POST", "/v1/challenge", "{"), 400, "service.malformed-request");
  TlsClient operators(running.admin_port());
  EXPECT_EQ(operators.request("GET", "/admin/v1/status", "", admin)->status, 200);
  EXPECT_EQ(operators.request("GET", "/readyz")->status, 200);
  expect_problem(operators.request("POST", "/v1/challenge", "{"), 404, "http.not-found");
  running.stop();
  EXPECT_FALSE(TlsClient(running.admin_port()).connected());
}

TEST(ServedTls, CanBeReplacedWhileConnectionsGoOn) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  TlsClient before(running.port());
  const auto old_key = before.peer_spki();
  const auto identity = testing::make_identity();
  running.tls().replace(make_tls_context(identity).value());
  TlsClient after(running.port());
  EXPECT_NE(after.peer_spki(), old_key);
  for (TlsClient* client : {&before, &after}) {
    testing::attest(*client, attester);
    EXPECT_EQ(running.log().events("attest").back()["findings"],
              Json::array({"app.not-registered"}))
        << "no key of ours is taken for a stranger's";
  }
}

}  // namespace
}  // namespace touchmark::verifier::http
