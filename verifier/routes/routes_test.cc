// What each path answers, to whom, and what is logged of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "formats/testing/zip_builder.h"
#include "tests/support/temporary_folder.h"
#include "verifier/routes/table.h"
#include "verifier/sdk/maven.h"
#include "verifier/testing/http_checks.h"
#include "verifier/testing/running_service.h"

namespace touchmark::verifier::routes {
namespace {

using testing::attest;
using testing::bearer;
using testing::expect_problem;
using testing::file_content;
using ::testing::HasSubstr;
using testing::kPackage;
using testing::MemoryApp;
using testing::RunningService;
using testing::RunningServiceOptions;
using testing::SoftAttester;
using testing::TlsClient;

TEST(Routes, AnswersAProblemForEachMisuse) {
  RunningService running;
  TlsClient client(running.port());
  expect_problem(client.request("GET", "/"), 404, "http.not-found");
  expect_problem(client.request("GET", "/admin/v1/nothing"), 404, "http.not-found");
  expect_problem(client.request("GET", "/v1/attest"), 405, "http.wrong-method");
  expect_problem(client.request("POST", "/v1/challenge", "{"), 400, "service.malformed-request");
  expect_problem(client.request("POST", "/v1/attest", "{}"), 400, "service.malformed-request");
  expect_problem(TlsClient(running.port()).request("GET", "http://other/healthz"), 400,
                 "http.malformed");
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

TEST(Routes, AnswersHeadLikeGetWithoutABody) {
  RunningService running;
  const std::string admin = bearer(running.admin());
  for (const char* path : {"/healthz", "/readyz", "/admin/v1/status", "/admin/v1/apis",
                           "/admin/v1/registrations/00", "/nothing"}) {
    SCOPED_TRACE(path);
    TlsClient client(running.port());
    auto get = client.request("GET", path, "", admin);
    ASSERT_TRUE(get);
    client.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + admin +
                "\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    auto head = client.receive_head();
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, get->status);
    EXPECT_EQ(head->headers, get->headers);
    EXPECT_EQ(client.receive()->body, R"({"status":"ok"})") << "no body came before it";
  }
  TlsClient client(running.port());
  client.send("HEAD /admin/v1/status HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive_head()->status, 401) << "HEAD needs what GET needs";
  client.send("HEAD /v1/attest HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.receive_head()->status, 405) << "there is no GET";
}

TEST(Routes, TellsWhichMethodsAPathHas) {
  RunningService running;
  TlsClient client(running.port());
  const auto allowed = [&](const std::string& method, const std::string& path, int status) {
    auto response = client.request(method, path);
    EXPECT_EQ(response->status, status) << method << " " << path;
    return response->headers["allow"];
  };
  EXPECT_EQ(allowed("GET", "/v1/attest", 405), "POST, OPTIONS");
  EXPECT_EQ(allowed("TRACE", "/healthz", 405), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed("get", "/healthz", 405), "GET, HEAD, OPTIONS") << "methods have a case";
  EXPECT_EQ(allowed("OPTIONS", "/healthz", 204), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed("OPTIONS", "/admin/v1/registrations", 204), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed("PUT", "/admin/v1/registrations/x", 405), "GET, HEAD, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(allowed("OPTIONS", "/nothing", 404), "");
}

TEST(Routes, ReadsAuthenticationSchemesWithoutRegardToCase) {
  RunningService running;
  TlsClient client(running.port());
  const auto status = [&](const std::string& value) {
    return client.request("GET", "/admin/v1/status", "", "Authorization: " + value + "\r\n")
        ->status;
  };
  const std::string token = running.developer();
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "}) {
    EXPECT_EQ(status(scheme + token), 200) << scheme;
  }
  EXPECT_EQ(status("  Bearer " + token + "  "), 200) << "spaces around a value do not count";
  for (const std::string& wrong :
       {"Bearer" + token, "Bearer\t" + token, "Bearers " + token, "Basic " + token, token,
        std::string("Bearer"), std::string("Bearer "), "Bearer " + token + " x",
        "Bearer " + token + "," + token, std::string()}) {
    EXPECT_EQ(status(wrong), 401) << wrong;
  }
}

TEST(Routes, NeedATokenAndItsRolesPermission) {
  RunningService running;
  std::map<model::Role, std::string> callers;
  for (const model::Role role : model::kRoles) {
    state::NewOperator wanted{"some-" + std::string(to_string(role)), role};
    if (role == model::Role::kCi) wanted.apps = {"com.example.app"};
    callers[role] = bearer(running.verifier().operators().add(wanted, "admin").value().token);
  }
  for (const Row& row : table()) {
    if (row.permission == model::Permission::kPublic) continue;
    std::string path(row.path);
    if (path.ends_with("*")) path.replace(path.size() - 1, 1, "00");
    const std::string method(row.method);
    SCOPED_TRACE(method + " " + path);
    TlsClient client(running.port());
    expect_problem(client.request(method, path), 401, "http.unauthorized");
    expect_problem(client.request(method, path, "", bearer("tmk_admin_wrong")), 401,
                   "http.unauthorized");
    expect_problem(client.request(method, path, "", "Authorization: Basic eDp5\r\n"), 401,
                   "http.unauthorized");
    for (const auto& [role, authorization] : callers) {
      SCOPED_TRACE(to_string(role));
      auto answer = client.request(method, path, "", authorization);
      ASSERT_TRUE(answer);
      if (model::may(role, row.permission)) {
        EXPECT_NE(answer->status, 401);
        EXPECT_NE(answer->status, 403) << answer->body;
      } else {
        expect_problem(answer, 403, "http.forbidden");
        EXPECT_THAT(answer->body, HasSubstr("some-" + std::string(to_string(role))));
        EXPECT_THAT(answer->body, HasSubstr(model::roles_with(row.permission)));
      }
    }
  }
}

TEST(Routes, MakesListsAndRevokesOperators) {
  RunningService running;
  TlsClient client(running.port());
  const std::string admin = bearer(running.admin());
  auto made = client.request(
      "POST", "/admin/v1/operators",
      R"({"name":"ci-1","role":"ci","apps":["com.example.app"],"expire_after":60})", admin);
  ASSERT_EQ(made->status, 201) << made->body;
  const Json answer = Json::parse(made->body);
  EXPECT_EQ(answer["expires"].get<std::int64_t>() - answer["created"].get<std::int64_t>(), 60);
  const std::string token = answer["token"].get<std::string>();
  EXPECT_EQ(running.log().text().find(token), std::string::npos);
  const Json who = Json::parse(client.request("GET", "/admin/v1/whoami", "", bearer(token))->body);
  EXPECT_EQ(who["name"], "ci-1");
  EXPECT_EQ(who["role"], "ci");
  EXPECT_EQ(who["apps"], Json({"com.example.app"}));
  EXPECT_EQ(who["permissions"], Json({"whoami", "registrations.read", "registrations.add",
                                      "certificates.read", "configuration.read", "sdk.read"}));
  const Json list = Json::parse(client.request("GET", "/admin/v1/operators", "", admin)->body);
  ASSERT_EQ(list["operators"].size(), 3U);
  EXPECT_EQ(list["operators"][1]["name"], "ci-1");
  EXPECT_EQ(list["operators"][1]["expired"], false);
  EXPECT_EQ(list.dump().find("token"), std::string::npos);
  for (const char* body :
       {"", "[]", "{}", R"({"name":"x","role":"root"})", R"({"name":1,"role":"ci"})",
        R"({"name":"x","role":"auditor","expire_after":0})",
        R"({"name":"x","role":"auditor","expire_after":"1d"})",
        R"({"name":"x","role":"ci","apps":"com.example"})",
        R"({"name":"x","role":"ci","apps":[1]})"}) {
    expect_problem(client.request("POST", "/admin/v1/operators", body, admin), 400,
                   "http.malformed");
  }
  expect_problem(
      client.request("POST", "/admin/v1/operators", R"({"name":"a b","role":"auditor"})", admin),
      400, "operator.bad-name");
  expect_problem(
      client.request("POST", "/admin/v1/operators", R"({"name":"x","role":"ci"})", admin), 400,
      "operator.bad-apps");
  expect_problem(
      client.request("POST", "/admin/v1/operators", R"({"name":"CI-1","role":"auditor"})", admin),
      409, "operator.exists");
  expect_problem(client.request("DELETE", "/admin/v1/operators/admin", "", admin), 409,
                 "operator.last-admin");
  expect_problem(client.request("DELETE", "/admin/v1/operators/nobody", "", admin), 404,
                 "operator.not-found");
  EXPECT_EQ(client.request("DELETE", "/admin/v1/operators/ci-1", "", admin)->status, 204);
  expect_problem(client.request("GET", "/admin/v1/whoami", "", bearer(token)), 401,
                 "http.unauthorized");
}

TEST(Routes, ACiTokenRegistersItsAppsAndSeesThemAlone) {
  RunningService running;
  TlsClient client(running.port());
  state::Operators& operators = running.verifier().operators();
  const auto ci_for = [&](const std::string& name, const std::string& app) {
    return bearer(operators.add({name, model::Role::kCi, {}, {app}}, "admin").value().token);
  };
  const auto mine = running.verifier().registry().register_package(kPackage, {}, "admin");
  ASSERT_TRUE(mine);
  const std::string path = "/admin/v1/registrations/" + mine->registration.id;
  const std::string other = ci_for("ci-other", "com.example.other");
  expect_problem(client.request("GET", path, "", other), 404, "store.not-found");
  EXPECT_EQ(client.request("GET", "/admin/v1/registrations", "", other)->body,
            R"({"registrations":[]})");
  auto refused = client.request("POST", "/admin/v1/registrations", file_content(kPackage), other);
  expect_problem(refused, 403, "http.forbidden");
  EXPECT_THAT(refused->body, HasSubstr(mine->registration.measurement.package_name));
  EXPECT_EQ(running.verifier().registry().registrations().front().created_by, "admin");
  const std::string own = ci_for("ci-own", mine->registration.measurement.package_name);
  EXPECT_EQ(client.request("GET", path, "", own)->status, 200);
  // A known release stays as it is, and a build machine cannot make it end.
  EXPECT_EQ(client.request("POST", "/admin/v1/registrations", file_content(kPackage), own)->status,
            200);
  expect_problem(client.request("POST", "/admin/v1/registrations?expire_after=60",
                                file_content(kPackage), own),
                 409, "service.registration-conflict");
  expect_problem(client.request("POST", "/admin/v1/registrations?expire_after=60&replace=true",
                                file_content(kPackage), own),
                 403, "http.forbidden");
  EXPECT_EQ(running.verifier().registry().registrations().front().created_by, "admin");
  ASSERT_TRUE(running.verifier().registry().remove_registration(mine->registration.id, "admin"));
  EXPECT_EQ(
      client.request("POST", "/admin/v1/registrations?dry_run=true", file_content(kPackage), own)
          ->status,
      200);
  EXPECT_TRUE(running.verifier().registry().registrations().empty());
  EXPECT_EQ(client.request("POST", "/admin/v1/registrations", file_content(kPackage), own)->status,
            201);
  EXPECT_EQ(running.verifier().registry().registrations().front().created_by, "ci-own");
  EXPECT_TRUE(std::filesystem::is_empty(running.folder())) << "no upload is left behind";
}

// Whoever has begun to send a package does not keep their token by sending slowly.
TEST(Routes, ATokenThatEndsWhileABodyComesIsOver) {
  RunningService running;
  TlsClient client(running.port());
  state::Operators& operators = running.verifier().operators();
  const std::string token = operators.add({"ann", model::Role::kDeveloper}, "admin").value().token;
  const std::string package = file_content(kPackage);
  client.send("POST /admin/v1/registrations HTTP/1.1\r\nHost: a\r\n" + bearer(token) +
              "Content-Length: " + std::to_string(package.size()) + "\r\n\r\n" +
              package.substr(0, package.size() / 2));
  // The head was read when the file for its body is there.
  while (std::filesystem::is_empty(running.folder())) std::this_thread::yield();
  ASSERT_TRUE(operators.revoke("ann", "admin"));
  client.send(package.substr(package.size() / 2));
  expect_problem(client.receive(), 401, "http.unauthorized");
  EXPECT_TRUE(running.verifier().registry().registrations().empty());
}

TEST(Routes, RegistersListsAndRemovesAPackage) {
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

TEST(Routes, ChangesApisAndSignsThem) {
  RunningService running;
  TlsClient client(running.port());
  const std::string developer = bearer(running.developer());
  const std::string admin = bearer(running.admin());
  auto put =
      client.request("PUT", "/admin/v1/apis", R"({"domain":"Localhost:5001","pins":[]})", admin);
  EXPECT_EQ(put->body, R"({"config_version":2,"domain":"localhost:5001","pins":[]})");
  auto config = client.request("GET", "/admin/v1/config", "", developer);
  EXPECT_EQ(config->headers.at("content-type"), "application/jose");
  EXPECT_EQ(config->body, running.verifier().api_domains().configuration()->jws);
  expect_problem(client.request("DELETE", "/admin/v1/apis/localhost%3A5001", "", developer), 403,
                 "http.forbidden");
  EXPECT_EQ(client.request("DELETE", "/admin/v1/apis/localhost%3A5001", "", admin)->status, 204);
  EXPECT_EQ(client.request("GET", "/admin/v1/apis", "", developer)->body, R"({"apis":[]})");
}

// A released app with such a URL never finds the service, nor a newer configuration.
TEST(Routes, SendsNoConfigurationThatPhonesCannotUse) {
  const auto answered = [](std::vector<std::string> urls, bool was_said, const char* query) {
    RunningServiceOptions options;
    options.service.public_urls = std::move(urls);
    options.service.public_url_was_said = was_said;
    RunningService running(options);
    TlsClient client(running.port());
    return client
        .request("GET", std::string("/admin/v1/config") + query, "", bearer(running.developer()))
        .value();
  };
  for (const char* url : {"https://localhost:8443", "https://10.1.2.3", "https://[fd00::1]:8443",
                          "https://attest.local"}) {
    const auto refused = answered({"https://a.example.com", url}, true, "");
    EXPECT_EQ(refused.status, 409) << url;
    EXPECT_NE(refused.body.find("configuration.local-url"), std::string::npos);
    EXPECT_NE(refused.body.find(url), std::string::npos);
    EXPECT_EQ(answered({url}, true, "?allow_local=1").status, 200);
  }
  EXPECT_EQ(answered({"https://a.example.com"}, false, "").status, 409) << "nobody said so";
  EXPECT_EQ(answered({"https://a.example.com"}, false, "?allow_local=1").status, 200);
  EXPECT_EQ(answered({"https://a.example.com"}, true, "").status, 200);
  EXPECT_EQ(answered({"https://a.example.com"}, true, "?allow_local=yes").status, 400);
}

TEST(Routes, IsNotReadyWithoutItsStorage) {
  std::atomic<bool> is_there = true;
  RunningServiceOptions options;
  options.service.storage_check = [&is_there]() -> Result<void> {
    if (is_there) return {};
    return fail(FileError::kNotFound, "it was moved");
  };
  RunningService running(options);
  TlsClient client(running.port());
  EXPECT_EQ(client.request("GET", "/readyz")->status, 200);
  is_there = false;
  const auto gone = client.request("GET", "/readyz");
  EXPECT_EQ(gone->status, 503);
  EXPECT_NE(gone->body.find("it was moved"), std::string::npos);
  EXPECT_EQ(client.request("GET", "/healthz")->status, 200) << "the process lives";
}

TEST(Routes, TellsWhatItTakesToDiagnoseIt) {
  std::atomic<bool> is_there = true;
  RunningServiceOptions options;
  options.service.public_urls = {"https://192.168.1.9:8443"};
  options.service.storage_check = [&is_there]() -> Result<void> {
    if (is_there) return {};
    return fail(FileError::kNotFound, "it was moved");
  };
  options.service.surroundings = [] {
    state::Surroundings out{.data = "/data"};
    out.data_mode = 0700;
    out.free_bytes = 5;
    out.token_files = {"/data/operator-tokens.json"};
    return out;
  };
  RunningService running(options);
  TlsClient client(running.port());
  const auto ask = [&] {
    const auto answer = client.request("GET", "/admin/v1/diagnosis", "", bearer(running.admin()));
    EXPECT_EQ(answer->status, 200) << answer->body;
    return Json::parse(answer->body);
  };
  const Json sound = ask();
  EXPECT_EQ(sound["store_problem"], nullptr);
  EXPECT_EQ(sound["unreadable"], Json::array());
  EXPECT_EQ(sound["hardware_roots"], 0);
  EXPECT_THAT(sound["public_url_problems"][0].get<std::string>(), HasSubstr("192.168.1.9"));
  EXPECT_EQ(sound["process"]["data"], "/data");
  EXPECT_EQ(sound["process"]["data_mode"], 0700);
  EXPECT_EQ(sound["process"]["free_bytes"], 5);
  EXPECT_EQ(sound["process"]["free_files"], nullptr);
  EXPECT_EQ(sound["process"]["token_files"], Json({"/data/operator-tokens.json"}));
  EXPECT_TRUE(running.store().get("diagnosed").value()) << "the store was written";
  is_there = false;
  EXPECT_THAT(ask()["store_problem"].get<std::string>(), HasSubstr("it was moved"));
}

TEST(Routes, ChecksTokens) {
  RunningService running;
  TlsClient client(running.port());
  const std::string developer = bearer(running.developer());
  const auto check = [&](const std::string& token) {
    auto response =
        client.request("POST", "/admin/v1/token/check", Json{{"token", token}}.dump(), developer);
    return Json::parse(response->body)["status"].get<std::string>();
  };
  const auto example = [&](bool valid) {
    auto response = client.request("POST", "/admin/v1/token/example", Json{{"valid", valid}}.dump(),
                                   valid ? bearer(running.admin()) : developer);
    return Json::parse(response->body)["token"].get<std::string>();
  };
  expect_problem(client.request("POST", "/admin/v1/token/example", R"({"valid":true})", developer),
                 403, "http.forbidden");
  EXPECT_EQ(check(example(true)), "valid");
  EXPECT_EQ(check(example(false)), "invalid");
  EXPECT_EQ(check("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"), "forged");
  EXPECT_EQ(check("x"), "malformed");
}

TEST(Routes, DeliversTheSdk) {
  RunningServiceOptions options;
  const touchmark::testing::TemporaryFolder folder;
  options.routes.sdk_dir = folder.path();
  std::ofstream(options.routes.sdk_dir / "touchmark_sdk.aar") << "the library";
  RunningService running(options);
  TlsClient client(running.port());
  auto sdk = client.request("GET", "/admin/v1/sdk/android", "", bearer(running.developer()));
  EXPECT_EQ(sdk->status, 200);
  EXPECT_EQ(sdk->body, "the library");
  EXPECT_EQ(sdk->headers.at("content-type"), "application/octet-stream");
}

// A Maven repository under one prefix, for build machines, too.
TEST(Routes, DeliversTheSdkAsAMavenRepository) {
  RunningServiceOptions options;
  const touchmark::testing::TemporaryFolder folder;
  package::testing::ZipFile library;
  library.entries = {
      package::testing::stored("assets/touchmark-sdk.json", R"({"version":"0.1.0"})")};
  options.routes.sdk_dir = folder.path();
  std::ofstream(options.routes.sdk_dir / "touchmark_sdk.aar") << library.build();
  RunningService running(options);
  TlsClient client(running.port());
  const std::string machine =
      bearer(running.verifier()
                 .operators()
                 .add({"machine", model::Role::kCi, {}, {"com.example.app"}}, "admin")
                 .value()
                 .token);
  const auto get = [&](const std::string& path) {
    return client.request("GET", "/admin/v1/sdk" + path, "", machine);
  };
  const std::string base = "/maven/com/example/touchmark-attestation/";
  auto aar = get(base + "0.1.0/touchmark-attestation-0.1.0.aar");
  EXPECT_EQ(aar->status, 200);
  EXPECT_EQ(aar->body, library.build());
  auto pom = get(base + "0.1.0/touchmark-attestation-0.1.0.pom");
  EXPECT_EQ(pom->headers.at("content-type"), "application/xml");
  EXPECT_EQ(get(base + "0.1.0/touchmark-attestation-0.1.0.pom.sha512")->body,
            sdk::make_checksum(crypto::DigestAlgorithm::kSha512, as_bytes(pom->body)));
  EXPECT_EQ(get(base + "maven-metadata.xml")->status, 200);
  const Json list = Json::parse(get("")->body);
  EXPECT_EQ(list["versions"][0]["version"], "0.1.0");
  EXPECT_EQ(list["versions"][0]["own"], true);
  EXPECT_EQ(list["problem"], nullptr);
  EXPECT_EQ(get("/android?version=0.1.0")->body, library.build());
  expect_problem(get("/android?version=0.2.0"), 404, "sdk.not-held");
  expect_problem(get("/android?version=..%2F.."), 404, "sdk.not-held");

  // A build asks for everything it needs everywhere, and goes on after a 404 alone.
  expect_problem(get("/maven/com/squareup/okhttp3/okhttp/3.12.13/okhttp-3.12.13.pom"), 404,
                 "http.not-found");
  for (const char* path :
       {"0.1.0/touchmark-attestation-0.1.0.aar.asc", "0.2.0/touchmark-attestation-0.2.0.pom",
        "../../../../../etc/passwd", "0.1.0/../0.1.0/touchmark-attestation-0.1.0.aar",
        "%2e%2e/%2e%2e/x", "0.1.0/", "", "0.1.0/touchmark-attestation-0.1.0-sources.jar"}) {
    EXPECT_EQ(get(base + path)->status, 404) << path;
  }
  // What reads otherwise once it is decoded is no path at all.
  for (const char* path : {"0.1.0%2ftouchmark-attestation-0.1.0.aar", "a%00b", "%zz"}) {
    TlsClient other(running.port());
    EXPECT_EQ(other.request("GET", "/admin/v1/sdk" + base + path, "", machine)->status, 400)
        << path;
  }
  EXPECT_EQ(get("/maven")->status, 404);
  EXPECT_EQ(get("/maven/")->status, 404);
  expect_problem(client.request("PUT", "/admin/v1/sdk" + base + "maven-metadata.xml", "", machine),
                 405, "http.wrong-method");
  expect_problem(client.request("GET", "/admin/v1/sdk" + base + "maven-metadata.xml"), 401,
                 "http.unauthorized");
}

TEST(Routes, DeliversThePackagesForJavaScript) {
  RunningServiceOptions options;
  const touchmark::testing::TemporaryFolder folder;
  package::testing::ZipFile library;
  library.entries = {
      package::testing::stored("assets/touchmark-sdk.json", R"({"version":"0.1.0"})")};
  options.routes.sdk_dir = folder.path();
  std::filesystem::create_directory(folder.path() / "npm");
  std::ofstream(folder.path() / "touchmark_sdk.aar") << library.build();
  std::ofstream(folder.path() / "npm/touchmark-cordova-0.1.0.tgz") << "the plugin";
  RunningService running(options);
  TlsClient client(running.port());
  const auto get = [&](const std::string& path) {
    return client.request("GET", "/admin/v1/sdk" + path, "", bearer(running.developer()));
  };
  const Json list = Json::parse(get("")->body);
  EXPECT_EQ(list["versions"][0]["npm"], (Json{{{"name", "@touchmark/cordova"},
                                               {"file", "touchmark-cordova-0.1.0.tgz"},
                                               {"bytes", 10}}}));
  auto package = get("/npm/touchmark-cordova-0.1.0.tgz");
  EXPECT_EQ(package->status, 200);
  EXPECT_EQ(package->body, "the plugin");
  expect_problem(get("/npm/touchmark-capacitor-0.1.0.tgz"), 404, "sdk.not-held");
  expect_problem(get("/npm/touchmark-cordova-0.2.0.tgz"), 404, "sdk.not-held");
  expect_problem(get("/npm/touchmark-core-0.1.0.tgz"), 404, "http.not-found");
  EXPECT_EQ(client.request("GET", "/admin/v1/sdk/npm/touchmark-cordova-0.1.0.tgz")->status, 401);
  EXPECT_EQ(get("/npm/..%2Ftouchmark_sdk.aar")->status, 400);
}

TEST(Routes, DeliversThePackageForSwift) {
  RunningServiceOptions options;
  const touchmark::testing::TemporaryFolder folder;
  package::testing::ZipFile library;
  library.entries = {
      package::testing::stored("assets/touchmark-sdk.json", R"({"version":"0.1.0"})")};
  options.routes.sdk_dir = folder.path();
  std::ofstream(folder.path() / "touchmark_sdk.aar") << library.build();
  RunningService running(options);
  TlsClient client(running.port());
  const auto get = [&](const std::string& path) {
    return client.request("GET", "/admin/v1/sdk" + path, "", bearer(running.developer()));
  };
  EXPECT_EQ(Json::parse(get("")->body)["versions"][0]["swift"], Json());
  expect_problem(get("/swift/touchmark-swift-0.1.0.zip"), 404, "sdk.not-held");
  std::ofstream(folder.path() / "touchmark-swift-0.1.0.zip") << "the archive";
  EXPECT_EQ(Json::parse(get("")->body)["versions"][0]["swift"],
            (Json{{"file", "touchmark-swift-0.1.0.zip"}, {"bytes", 11}}));
  auto package = get("/swift/touchmark-swift-0.1.0.zip");
  EXPECT_EQ(package->status, 200);
  EXPECT_EQ(package->body, "the archive");
  expect_problem(get("/swift/touchmark-swift-0.2.0.zip"), 404, "sdk.not-held");
  expect_problem(get("/swift/touchmark_sdk.aar"), 404, "http.not-found");
  EXPECT_EQ(client.request("GET", "/admin/v1/sdk/swift/touchmark-swift-0.1.0.zip")->status, 401);
}

TEST(Routes, LogsNoSecretAndNoToken) {
  RunningService running;
  SoftAttester attester(MemoryApp::make(), running.verifier().account());
  TlsClient client(running.port());
  const Json body = attest(client, attester);
  auto secret = client.request("GET", "/admin/v1/secret", "", bearer(running.admin()));
  auto example = client.request("POST", "/admin/v1/token/example", R"({"valid":true})",
                                bearer(running.admin()));
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

}  // namespace
}  // namespace touchmark::verifier::routes
