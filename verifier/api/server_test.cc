// The service over real TLS connections on the loopback interface.
#include "verifier/api/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/encoding.h"
#include "verifier/testing/running_service.h"
#include "verifier/testing/tls_client.h"

namespace touchmark::verifier {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::MemoryApp;
using testing::RawResponse;
using testing::RunningService;
using testing::RunningServiceOptions;
using testing::SoftAttester;
using testing::TlsClient;

const std::string kPackage = "tests/vectors/apksig/golden-aligned-out.apk";

std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_problem(const std::optional<RawResponse>& response, int status, const std::string& id) {
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, status) << response->body;
  EXPECT_EQ(response->headers.at("content-type"), "application/problem+json");
  const Json body = Json::parse(response->body);
  EXPECT_EQ(body["type"], "urn:touchmark:error:" + id);
  EXPECT_EQ(body["status"], status);
  EXPECT_FALSE(body["title"].get<std::string>().empty());
  EXPECT_FALSE(body["detail"].get<std::string>().empty());
}

// One attestation over `client`; gives the answer's body.
Json attest(TlsClient& client, SoftAttester& attester) {
  attester.exporter = client.exporter();
  attester.spki = to_bytes(ByteView(client.peer_spki()));
  auto challenge = client.request("POST", "/v1/challenge", attester.challenge_request());
  EXPECT_EQ(challenge->status, 200);
  auto answer = client.request(
      "POST", "/v1/attest", attester.attest_request(attester.claims(Json::parse(challenge->body))));
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body.size() % kAnswerQuantum, 0U);
  return Json::parse(answer->body);
}

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
  SoftAttester attester(MemoryApp::make(), running.service().account());
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient client(running.port(), {.max_version = version});
    ASSERT_TRUE(client.connected());
    const Json body = attest(client, attester);
    EXPECT_EQ(running.service().check_token(body["token"].get<std::string>()).status,
              TokenStatus::kInvalid);
    const Json event = running.log().events("attest").back();
    EXPECT_EQ(event["findings"], Json::array({"app.not-registered"})) << "the connection is bound";
    EXPECT_EQ(event["remote_ip"], "127.0.0.1");
    EXPECT_EQ(event["passed"], false);
  }
}

TEST(Server, FindsEvidenceThatCameByAnotherConnection) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.service().account());
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

TEST(Server, AnswersAProblemForEachMisuse) {
  RunningService running;
  TlsClient client(running.port());
  expect_problem(client.request("GET", "/"), 404, "http.not-found");
  expect_problem(client.request("GET", "/admin/v1/nothing"), 404, "http.not-found");
  expect_problem(client.request("GET", "/v1/attest"), 405, "http.wrong-method");
  expect_problem(client.request("POST", "/v1/challenge", "{"), 400, "service.malformed-request");
  expect_problem(client.request("POST", "/v1/attest", "{}"), 400, "service.malformed-request");
  expect_problem(client.request("GET", "http://other/healthz"), 400, "http.malformed");
  const std::string admin = bearer(running.admin());
  expect_problem(client.request("PUT", "/admin/v1/apis", R"({"domain":"a b","pins":[]})", admin),
                 400, "api.bad-domain");
  expect_problem(client.request("PUT", "/admin/v1/apis", R"({"domain":"a","pins":["x"]})", admin),
                 400, "api.bad-pin");
  expect_problem(client.request("PUT", "/admin/v1/apis", R"({"domain":"a"})", admin), 400,
                 "http.malformed");
  expect_problem(client.request("DELETE", "/admin/v1/apis/absent.example", "", admin), 404,
                 "store.not-found");
  expect_problem(client.request("DELETE", "/admin/v1/registrations/00", "", admin), 404,
                 "store.not-found");
  expect_problem(client.request("GET", "/admin/v1/audit?limit=0", "", admin), 400,
                 "http.malformed");
  expect_problem(client.request("POST", "/admin/v1/token/example", "{}", admin), 400,
                 "http.malformed");
  expect_problem(client.request("GET", "/admin/v1/sdk/android", "", admin), 404, "http.not-found");
  for (const char* expiry : {"0", "-1", "x", "10s", "99999999999999999999"}) {
    expect_problem(
        client.request("POST", std::string("/admin/v1/registrations?expire_after=") + expiry,
                       "not a package", admin),
        400, "http.malformed");
  }
  expect_problem(client.request("POST", "/admin/v1/registrations", "not a package", admin), 422,
                 "zip.no-end-record");
}

struct AdminCall {
  const char* method;
  const char* path;
  bool needs_admin;
};
constexpr AdminCall kAdminCalls[] = {
    {"GET", "/admin/v1/status", false},
    {"POST", "/admin/v1/registrations", false},
    {"GET", "/admin/v1/registrations", false},
    {"DELETE", "/admin/v1/registrations/00", false},
    {"GET", "/admin/v1/apis", false},
    {"PUT", "/admin/v1/apis", false},
    {"DELETE", "/admin/v1/apis/a.example", false},
    {"GET", "/admin/v1/config", false},
    {"GET", "/admin/v1/sdk/android", false},
    {"GET", "/admin/v1/secret", true},
    {"GET", "/admin/v1/policy", false},
    {"POST", "/admin/v1/token/check", false},
    {"POST", "/admin/v1/token/example", false},
    {"GET", "/admin/v1/audit", true},
};

TEST(Server, GivesEachCallToItsRolesOnly) {
  RunningService running;
  for (const AdminCall& call : kAdminCalls) {
    SCOPED_TRACE(std::string(call.method) + " " + call.path);
    TlsClient client(running.port());
    expect_problem(client.request(call.method, call.path), 401, "http.unauthorized");
    expect_problem(client.request(call.method, call.path, "", bearer("tmk_admin_wrong")), 401,
                   "http.unauthorized");
    expect_problem(client.request(call.method, call.path, "", "Authorization: Basic eDp5\r\n"), 401,
                   "http.unauthorized");
    auto developer = client.request(call.method, call.path, "", bearer(running.developer()));
    ASSERT_TRUE(developer);
    if (call.needs_admin) {
      expect_problem(developer, 403, "http.forbidden");
    } else {
      EXPECT_NE(developer->status, 401);
      EXPECT_NE(developer->status, 403);
    }
    auto admin = client.request(call.method, call.path, "", bearer(running.admin()));
    ASSERT_TRUE(admin);
    EXPECT_NE(admin->status, 401);
    EXPECT_NE(admin->status, 403);
  }
}

TEST(Server, RegistersListsAndRemovesAPackage) {
  RunningService running;
  TlsClient client(running.port());
  const std::string developer = bearer(running.developer());
  auto added = client.request("POST", "/admin/v1/registrations?expire_after=600",
                              file_content(kPackage), developer);
  ASSERT_TRUE(added);
  ASSERT_EQ(added->status, 201) << added->body;
  const Json made = Json::parse(added->body);
  EXPECT_EQ(made["expires"].get<std::int64_t>() - made["created"].get<std::int64_t>(), 600);
  EXPECT_THAT(made["line"].get<std::string>(), HasSubstr("=" + made["package"].get<std::string>()));
  const Json list = Json::parse(
      client.request("GET", "/admin/v1/registrations", "", developer)->body)["registrations"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["id"], made["id"]);
  EXPECT_EQ(list[0]["expired"], false);
  EXPECT_EQ(list[0]["created_by"], "developer");
  const std::string path = "/admin/v1/registrations/" + made["id"].get<std::string>();
  EXPECT_EQ(client.request("DELETE", path, "", developer)->status, 204);
  expect_problem(client.request("DELETE", path, "", developer), 404, "store.not-found");
  EXPECT_TRUE(std::filesystem::is_empty(running.folder())) << "no upload is left behind";
}

TEST(Server, ChangesApisAndSignsThem) {
  RunningService running;
  TlsClient client(running.port());
  const std::string developer = bearer(running.developer());
  auto put = client.request("PUT", "/admin/v1/apis", R"({"domain":"Localhost:5001","pins":[]})",
                            developer);
  EXPECT_EQ(put->body, R"({"config_version":2,"domain":"localhost:5001","pins":[]})");
  auto config = client.request("GET", "/admin/v1/config", "", developer);
  EXPECT_EQ(config->headers.at("content-type"), "application/jose");
  EXPECT_EQ(config->body, running.service().configuration());
  EXPECT_EQ(client.request("DELETE", "/admin/v1/apis/localhost%3A5001", "", developer)->status,
            204);
  EXPECT_EQ(client.request("GET", "/admin/v1/apis", "", developer)->body, R"({"apis":[]})");
}

TEST(Server, ChecksTokens) {
  RunningService running;
  TlsClient client(running.port());
  const std::string developer = bearer(running.developer());
  const auto check = [&](const std::string& token) {
    auto response =
        client.request("POST", "/admin/v1/token/check", Json{{"token", token}}.dump(), developer);
    return Json::parse(response->body)["status"].get<std::string>();
  };
  const auto example = [&](bool valid) {
    auto response =
        client.request("POST", "/admin/v1/token/example", Json{{"valid", valid}}.dump(), developer);
    return Json::parse(response->body)["token"].get<std::string>();
  };
  EXPECT_EQ(check(example(true)), "valid");
  EXPECT_EQ(check(example(false)), "invalid");
  EXPECT_EQ(check("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"), "forged");
  EXPECT_EQ(check("x"), "malformed");
}

TEST(Server, DeliversTheSdk) {
  RunningServiceOptions options;
  char name[] = "/tmp/touchmark-sdk-XXXXXX";
  options.handlers.sdk_dir = ::mkdtemp(name);
  std::ofstream(options.handlers.sdk_dir / "touchmark_sdk.aar") << "the library";
  RunningService running(options);
  TlsClient client(running.port());
  auto sdk = client.request("GET", "/admin/v1/sdk/android", "", bearer(running.developer()));
  EXPECT_EQ(sdk->status, 200);
  EXPECT_EQ(sdk->body, "the library");
  EXPECT_EQ(sdk->headers.at("content-type"), "application/octet-stream");
  std::filesystem::remove_all(options.handlers.sdk_dir);
}

TEST(Server, BoundsBodies) {
  RunningServiceOptions options;
  options.handlers.max_upload = 100'000;
  RunningService running(options);
  {
    TlsClient client(running.port());
    expect_problem(client.request("POST", "/v1/challenge", std::string(5000, ' ')), 413,
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
    for (int i = 0; i < 10; ++i) client.send("400\r\n" + std::string(0x400, ' ') + "\r\n");
    expect_problem(client.receive(), 413, "http.too-large");
  }
  {
    TlsClient client(running.port());
    client.request("GET", "/healthz", "", "X-Filler: " + std::string(20'000, 'x') + "\r\n");
    EXPECT_TRUE(client.closed());
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

TEST(Server, RefusesMalformedHttp) {
  RunningService running;
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "POST /v1/challenge HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST /v1/challenge HTTP/1.1\r\nContent-Length: 2\r\n"
        "Transfer-Encoding: chunked\r\n\r\n{}",
        "POST /v1/challenge HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"}) {
    TlsClient client(running.port());
    client.send(text);
    auto response = client.receive();
    EXPECT_TRUE(!response || response->status == 400) << text << response->status;
    EXPECT_TRUE(client.closed()) << text;
  }
  EXPECT_EQ(TlsClient(running.port()).request("GET", "/healthz")->status, 200) << "it lives on";
}

TEST(Server, EndsSlowConnections) {
  RunningServiceOptions options;
  options.limits.handshake = options.limits.idle = options.limits.progress = 1s;
  RunningService running(options);
  TlsClient idle(running.port());
  TlsClient trickling(running.port());
  trickling.send("GET /healthz HTT");
  TlsClient slow_body(running.port());
  slow_body.send("POST /v1/challenge HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(trickling.closed());
  EXPECT_TRUE(slow_body.closed());
}

TEST(Server, ServesAtMostSoManyConnections) {
  RunningServiceOptions options;
  options.server.max_connections = 2;
  RunningService running(options);
  {
    TlsClient first(running.port());
    TlsClient second(running.port());
    ASSERT_TRUE(first.request("GET", "/healthz") && second.request("GET", "/healthz"));
    EXPECT_FALSE(TlsClient(running.port()).connected());
  }
  bool served = false;
  for (int i = 0; i < 100 && !served; ++i) {
    std::this_thread::sleep_for(20ms);
    served = TlsClient(running.port()).connected();
  }
  EXPECT_TRUE(served) << "those that ended make room";
}

TEST(Server, StopsWithoutDroppingARequest) {
  RunningService running;
  const std::string package = file_content(kPackage);
  TlsClient idle(running.port());
  ASSERT_TRUE(idle.request("GET", "/healthz"));
  TlsClient uploading(running.port());
  uploading.send("POST /admin/v1/registrations HTTP/1.1\r\n" + bearer(running.developer()) +
                 "Content-Length: " + std::to_string(package.size()) + "\r\n\r\n" +
                 package.substr(0, 1000));
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

TEST(Server, StopsInBoundedTimeAndWritesDevices) {
  RunningServiceOptions options;
  options.server.grace = 1s;
  RunningService running(options);
  SoftAttester attester(MemoryApp::make(), running.service().account());
  TlsClient client(running.port());
  attest(client, attester);
  TlsClient stuck(running.port());
  stuck.send("POST /v1/challenge HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  std::this_thread::sleep_for(100ms);
  const auto before = std::chrono::steady_clock::now();
  running.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_EQ(running.log().events("stop.connections_dropped").size(), 1U);
  EXPECT_EQ(running.store().devices(10)->size(), 1U);
}

TEST(Server, TakesTheClientsAddressFromTheProxyOnlyWhenTold) {
  const auto seen = [](bool trust, const std::string& header) {
    RunningServiceOptions options;
    options.trust_forwarded_for = trust;
    RunningService running(options);
    SoftAttester attester(MemoryApp::make(), running.service().account());
    TlsClient client(running.port());
    client.request("POST", "/v1/challenge", attester.challenge_request(), header);
    return running.log().events("challenge").back()["remote_ip"].get<std::string>();
  };
  const std::string header = "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n";
  EXPECT_EQ(seen(false, header), "127.0.0.1");
  EXPECT_EQ(seen(true, header), "198.51.100.7");
  EXPECT_EQ(seen(true, "X-Forwarded-For: 2001:db8::1\r\n"), "2001:db8::1");
  EXPECT_EQ(seen(true, "X-Forwarded-For: nonsense\r\n"), "127.0.0.1");
  EXPECT_EQ(seen(true, ""), "127.0.0.1");
}

TEST(Server, LogsNoSecretAndNoToken) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.service().account());
  TlsClient client(running.port());
  const Json body = attest(client, attester);
  auto secret = client.request("GET", "/admin/v1/secret", "", bearer(running.admin()));
  auto example = client.request("POST", "/admin/v1/token/example", R"({"valid":true})",
                                bearer(running.developer()));
  ASSERT_EQ(secret->status, 200);
  client.request("GET", "/admin/v1/secret", "", bearer(running.developer()));
  const std::string log = running.log().text();
  EXPECT_THAT(log, HasSubstr("secret.read"));
  for (const std::string& hidden :
       {running.admin(), running.developer(), body["token"].get<std::string>(),
        Json::parse(secret->body)["secret"].get<std::string>(),
        Json::parse(secret->body)["decoy_secret"].get<std::string>(),
        Json::parse(example->body)["token"].get<std::string>()}) {
    EXPECT_EQ(log.find(hidden), std::string::npos);
  }
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
}  // namespace touchmark::verifier
