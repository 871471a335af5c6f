// The service over real TLS connections on the loopback interface.
#include "verifier/http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "verifier/testing/http_checks.h"
#include "verifier/testing/running_service.h"

namespace touchmark::verifier::http {
namespace {

using namespace std::chrono_literals;
using testing::attest;
using testing::bearer;
using testing::expect_problem;
using testing::file_content;
using testing::kPackage;
using testing::MemoryApp;
using testing::RunningService;
using testing::RunningServiceOptions;
using testing::SoftAttester;
using testing::TlsClient;

TEST(Server, AnswersHealth) {
  RunningService running;
  TlsClient client(running.port());
  ASSERT_TRUE(client.connected());
  for (const char* path : {"/healthz", "/readyz"}) {
    auto response = client.request("GET", path);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, R"({"status":"ok"})");
    EXPECT_EQ(response->headers.at("cache-control"), "no-store");
  }
}

TEST(Server, AttestsOverTls13AndTls12) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient client(running.port(), {.max_version = version});
    ASSERT_TRUE(client.connected());
    const Json body = attest(client, attester);
    EXPECT_EQ(running.verifier().key_sets().check_token(body["token"].get<std::string>()).status,
              appraisal::TokenStatus::kInvalid);
    const Json event = running.log().events("attest").back();
    EXPECT_EQ(event["findings"], Json::array({"app.not-registered"})) << "the connection is bound";
    EXPECT_EQ(event["remote_ip"], "127.0.0.1");
    EXPECT_EQ(event["passed"], false);
  }
}

TEST(Server, FindsEvidenceThatCameByAnotherConnection) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  TlsClient victim(running.port());
  TlsClient relay(running.port());
  attester.exporter = victim.exporter();
  attester.spki = to_bytes(ByteView(victim.peer_spki()));
  auto challenge = relay.request("POST", "/v1/challenge", attester.challenge_request());
  ASSERT_TRUE(challenge);
  auto answer = relay.request(
      "POST", "/v1/attest", attester.attest_request(attester.claims(Json::parse(challenge->body))));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(running.log().events("attest").back()["findings"],
            Json::array({"app.not-registered", "network.mitm"}));
}

TEST(Server, SessionsResumeAndEachConnectionIsBoundToItself) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient first(running.port(), {.max_version = version});
    ASSERT_TRUE(first.request("GET", "/healthz"));
    ASSERT_NE(first.session(), nullptr);
    EXPECT_FALSE(first.resumed());
    TlsClient second(running.port(), {.max_version = version, .session = first.session()});
    ASSERT_TRUE(second.resumed()) << version;
    EXPECT_NE(first.exporter(), second.exporter());
    attest(second, attester);
    EXPECT_EQ(running.log().events("attest").back()["findings"],
              Json::array({"app.not-registered"}))
        << "the resumed connection is bound";
    // TLS 1.3 gives a new ticket for the one that is spent; that of TLS 1.2 goes on.
    EXPECT_EQ(second.session() != nullptr, version == TLS1_3_VERSION);

    // What was made for the connection before, and for the one after, is not for this one.
    for (TlsClient* other : {&first, &second}) {
      TlsClient& relay = other == &first ? second : first;
      attester.exporter = other->exporter();
      attester.spki = to_bytes(ByteView(other->peer_spki()));
      auto challenge = relay.request("POST", "/v1/challenge", attester.challenge_request());
      ASSERT_TRUE(challenge);
      ASSERT_TRUE(
          relay.request("POST", "/v1/attest",
                        attester.attest_request(attester.claims(Json::parse(challenge->body)))));
      EXPECT_EQ(running.log().events("attest").back()["findings"],
                Json::array({"app.not-registered", "network.mitm"}));
    }
  }
}

TEST(Server, ATicketIsGoodForItsPortAndItsCertificate) {
  RunningServiceOptions options;
  options.admin_port = true;
  RunningService running(options);
  const auto resumes = [](const TlsClient& from, std::uint16_t port) {
    TlsClient client(port, {.session = from.session()});
    EXPECT_TRUE(client.request("GET", "/healthz"));
    return client.resumed();
  };
  const auto meet = [&](std::uint16_t port) {
    auto client = std::make_unique<TlsClient>(port);
    EXPECT_TRUE(client->request("GET", "/healthz"));
    return client;
  };
  const auto app = meet(running.port());
  const auto admin = meet(running.admin_port());
  EXPECT_TRUE(resumes(*app, running.port()));
  EXPECT_TRUE(resumes(*admin, running.admin_port()));
  EXPECT_FALSE(resumes(*app, running.admin_port()));
  EXPECT_FALSE(resumes(*admin, running.port()));

  const TlsIdentity identity = testing::make_identity();
  running.tls().replace(make_tls_context(identity).value());
  EXPECT_FALSE(resumes(*app, running.port())) << "the certificate is another one";
  const auto later = meet(running.port());
  running.tls().replace(make_tls_context(identity).value());
  EXPECT_TRUE(resumes(*later, running.port())) << "it is the same one, read again";
}

// What is sent in early data can be replayed.
TEST(Server, TicketsAllowNoEarlyDataAndEndSoon) {
  RunningService running;
  TlsClient first(running.port());
  ASSERT_TRUE(first.request("GET", "/healthz"));
  ASSERT_NE(first.session(), nullptr);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(first.session()), 0U);
  EXPECT_LE(SSL_SESSION_get_ticket_lifetime_hint(first.session()),
            static_cast<unsigned long>(kTicketLifetime.count()));
  EXPECT_GT(SSL_SESSION_get_ticket_lifetime_hint(first.session()), 0U);
}

TEST(Server, RefusesTls12WithoutExtendedMasterSecret) {
  RunningService running;
  TlsClient client(running.port(),
                   {.max_version = TLS1_2_VERSION, .no_extended_master_secret = true});
  EXPECT_FALSE(client.connected() && client.request("GET", "/healthz"));
  EXPECT_EQ(running.log().events("connection.refused").size(), 1U);
}

TEST(Server, RefusesOldTls) {
  RunningService running;
  EXPECT_FALSE(TlsClient(running.port(), {.max_version = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsClient(running.port(), {.max_version = TLS1_VERSION}).connected());
  EXPECT_TRUE(TlsClient(running.port(), {.max_version = TLS1_2_VERSION}).connected());
}

TEST(Server, BoundsBodies) {
  RunningServiceOptions options;
  options.routes.max_upload = 100'000;
  RunningService running(options);
  {
    TlsClient client(running.port());
    expect_problem(client.request("POST", "/v1/challenge", std::string(70 * 1024, ' ')), 413,
                   "http.too-large");
  }
  {
    TlsClient client(running.port());
    expect_problem(client.request("POST", "/v1/attest", std::string(300 * 1024, ' ')), 413,
                   "http.too-large");
  }
  {
    TlsClient client(running.port());
    expect_problem(client.request("POST", "/admin/v1/registrations", std::string(100'001, 'x'),
                                  bearer(running.developer())),
                   413, "http.too-large");
  }
  {
    // Declared, but never sent: refused before it comes.
    TlsClient client(running.port());
    client.send("POST /v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    expect_problem(client.receive(), 413, "http.too-large");
  }
  {
    // Chunked, so that no length is declared.
    TlsClient client(running.port());
    client.send("POST /v1/challenge HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 70; ++i) client.send("400\r\n" + std::string(0x400, ' ') + "\r\n");
    expect_problem(client.receive(), 413, "http.too-large");
  }
}

TEST(Server, AnswersARefusalWhileABodyIsStillComing) {
  RunningService running;
  TlsClient client(running.port());
  expect_problem(client.request("POST", "/admin/v1/registrations", std::string(8 << 20, 'x')), 401,
                 "http.unauthorized");
  EXPECT_TRUE(client.closed());
}

TEST(Server, InvitesABodyOnlyFromThoseWhoMaySendIt) {
  RunningService running;
  const std::string package = file_content(kPackage);
  const std::string head =
      "Expect: 100-continue\r\nContent-Length: " + std::to_string(package.size()) + "\r\n";
  {
    TlsClient client(running.port());
    auto first =
        client.request("POST", "/admin/v1/registrations", "", head + bearer(running.developer()));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->status, 100);
    client.send(package);
    EXPECT_EQ(client.receive()->status, 201);
  }
  TlsClient client(running.port());
  expect_problem(client.request("POST", "/admin/v1/registrations", "", head), 401,
                 "http.unauthorized");
}

TEST(Server, EndsSlowConnections) {
  RunningServiceOptions options;
  options.limits.handshake = options.limits.idle = options.limits.header = 1s;
  options.limits.progress = 1s;
  options.limits.body_per_second = 1 << 20;
  RunningService running(options);
  TlsClient idle(running.port());
  TlsClient trickling(running.port());
  trickling.send("GET /healthz HTT");
  TlsClient slow_body(running.port());
  slow_body.send("POST /v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(trickling.closed());
  EXPECT_TRUE(slow_body.closed());
}

TEST(Server, ServesAtMostSoManyConnections) {
  RunningServiceOptions options;
  options.server.max_connections = 2;
  RunningService running(options);
  TlsClient first(running.port());
  ASSERT_TRUE(first.request("GET", "/healthz"));
  TlsClient second(running.port());
  ASSERT_TRUE(second.request("GET", "/healthz"));
  TlsClient third(running.port());
  EXPECT_TRUE(third.request("GET", "/healthz"));
  EXPECT_TRUE(first.closed()) << "the one that waited longest made room";
  EXPECT_TRUE(second.request("GET", "/healthz"));
}

TEST(Server, StopsWithoutDroppingARequest) {
  RunningService running;
  const std::string package = file_content(kPackage);
  TlsClient idle(running.port());
  ASSERT_TRUE(idle.request("GET", "/healthz"));
  TlsClient uploading(running.port());
  uploading.send("POST /admin/v1/registrations HTTP/1.1\r\nHost: x\r\n" +
                 bearer(running.developer()) + "Content-Length: " + std::to_string(package.size()) +
                 "\r\n\r\n" + package.substr(0, 1000));
  std::this_thread::sleep_for(100ms);
  std::jthread stopper([&] { running.stop(); });
  EXPECT_TRUE(idle.closed());
  uploading.send(package.substr(1000));
  auto response = uploading.receive();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->headers["connection"], "close");
  stopper.join();
  EXPECT_FALSE(TlsClient(running.port()).connected());
  EXPECT_TRUE(running.log().events("stop.connections_dropped").empty());
}

TEST(Server, AnswersTheFirstRequestOfWhoCameBeforeItStops) {
  RunningService running;
  TlsClient silent(running.port());
  TlsClient halfway(running.port());
  ASSERT_TRUE(halfway.send("GET /healthz HTTP/1.1\r\nHost: x\r\n"));
  TlsClient again(running.port());
  ASSERT_TRUE(again.request("GET", "/healthz"));
  ASSERT_TRUE(again.send("GET /healthz HTTP/1.1\r\nHost: x\r\n"));
  std::this_thread::sleep_for(100ms);
  std::jthread stopper([&] { running.stop(); });
  std::this_thread::sleep_for(100ms);
  auto first = silent.request("GET", "/healthz");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->headers["connection"], "close");
  for (TlsClient* client : {&halfway, &again}) {
    ASSERT_TRUE(client->send("\r\n"));
    auto response = client->receive();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->headers["connection"], "close");
  }
}

TEST(Server, WaitsNotLongForAFirstRequestWhenItStops) {
  RunningServiceOptions options;
  options.server.grace = 30s;
  options.server.arrival_grace = 1s;
  RunningService running(options);
  TlsClient silent(running.port());
  ASSERT_TRUE(silent.connected());
  const auto before = std::chrono::steady_clock::now();
  running.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  EXPECT_TRUE(silent.closed());
}

TEST(Server, StopsInBoundedTimeAndWritesDevices) {
  RunningServiceOptions options;
  options.server.grace = 1s;
  RunningService running(options);
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  TlsClient client(running.port());
  attest(client, attester);
  TlsClient stuck(running.port());
  stuck.send("POST /v1/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  std::this_thread::sleep_for(100ms);
  const auto before = std::chrono::steady_clock::now();
  running.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_EQ(running.log().events("stop.connections_dropped").size(), 1U);
  EXPECT_EQ(running.store().devices(10)->size(), 1U);
}

// --- Exceptions ----------------------------------------------------------------------------------

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 600 && !condition(); ++i) std::this_thread::sleep_for(20ms);
  return condition();
}

TEST(Server, HousekeepingGoesOnWhateverIsThrown) {
  std::atomic<int> rounds = 0;
  RunningServiceOptions options;
  options.server.housekeeping_every = 1s;
  options.server.max_connections = 4;
  options.housekeep = [&rounds] {
    if (++rounds % 2 == 1) throw std::bad_alloc();
    throw 7;
  };
  RunningService running(options);
  ASSERT_TRUE(comes_true([&] { return rounds >= 3; }));
  // Not even that can be said; and there is pressure to tell of, and connections that fail.
  running.log().fail(true);
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(std::make_unique<TlsClient>(running.port()));
  clients.clear();
  const int before = rounds;
  ASSERT_TRUE(comes_true([&] { return rounds >= before + 3; }));
  running.log().fail(false);
  EXPECT_FALSE(running.log().events("housekeeping.failed").empty());
  TlsClient client(running.port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.request("GET", "/healthz")->status, 200);
  const int last = rounds;
  running.stop();  // in spite of all
  EXPECT_GT(rounds, last);
}

TEST(RunUntilStopped, AHandlerThatThrowsEndsNoThread) {
  boost::asio::io_context io;
  testing::MemoryLog log;
  int ran = 0;
  boost::asio::post(io, [] { throw std::runtime_error("first"); });
  boost::asio::post(io, [] { throw 7; });
  boost::asio::post(io, [&log] {
    log.fail(true);
    throw std::bad_alloc();
  });
  boost::asio::post(io, [&] {
    log.fail(false);
    ++ran;
  });
  run_until_stopped(io, log);
  EXPECT_EQ(ran, 1);
  const auto failed = log.events("handler.failed");
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0]["error"], "first");
  EXPECT_EQ(failed[1]["error"], "not a std::exception");
}

TEST(WorkerPool, WorkThatThrowsGivesItsPlaceUp) {
  boost::asio::io_context io;
  WorkerPool pool(1, 0);
  int thrown = 0;
  int done = 0;
  const auto work = [&]() -> boost::asio::awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      try {
        const auto result = co_await pool.run_if_room([i]() -> int {
          if (i % 2 == 0) throw std::bad_alloc();
          return i;
        });
        if (result) ++done;
      } catch (const std::bad_alloc&) {
        ++thrown;
      }
    }
  };
  boost::asio::co_spawn(io, work, boost::asio::detached);
  io.run();
  EXPECT_EQ(thrown, 10);
  EXPECT_EQ(done, 10);
  EXPECT_TRUE(pool.idle());
}

TEST(ListenOn, TellsWhyItCannot) {
  boost::asio::io_context io;
  auto first = listen_on(io, "127.0.0.1", 0);
  ASSERT_TRUE(first);
  auto second = listen_on(io, "127.0.0.1", first->local_endpoint().port());
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(ServerError::kAddressInUse)) << second.error().text();
  EXPECT_TRUE(listen_on(io, "localhost.example", 0).error().is(ServerError::kBadAddress));
  EXPECT_TRUE(listen_on(io, "203.0.113.1", 0).error().is(ServerError::kBadAddress));
}

}  // namespace
}  // namespace touchmark::verifier::http
