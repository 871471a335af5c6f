// The command line as its user types it, against a service that is played.
#include "cli/commands/command_line.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "cli/io/error.h"
#include "cli/line/command_tree.h"
#include "cli/line/completion.h"
#include "cli/line/manual.h"
#include "cli/service/profile.h"
#include "cli/testing/test_world.h"
#include "crypto/jose.h"

namespace touchmark::cli::commands {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kToken =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJkaWQiOiJWcGJ2YUh1Rnp0eGhzeDQ3Mlc0VmdnPT0iLCJleHAiOjE1Njg3MTk0MjYsImlwIjoiODAuMjI5LjExMy4yMj"
    "A"
    "ifQ.xS-iNbfVlveTiZ_H8E2ZT2GF8suKvziauUoD79pYpoM";

class CommandLineTest : public ::testing::Test {
 protected:
  int run(const std::vector<std::string>& args) { return world_.run(args); }
  const std::string& out() { return world_.console.out; }
  const std::string& err() { return world_.console.err; }
  FakeService& service() { return world_.service; }

  TestWorld world_;
};

TEST_F(CommandLineTest, NoCommandShowsTheHelp) {
  EXPECT_EQ(run({}), io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("Usage: touchmark COMMAND"));
  EXPECT_EQ(run({"registration", "add", "--help"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("Usage: touchmark registration add PACKAGE... [OPTIONS]"));
  EXPECT_THAT(out(), HasSubstr("--expire-after DURATION"));
}

TEST_F(CommandLineTest, UnknownWordsGetASuggestionOnOneLine) {
  EXPECT_EQ(run({"regstration", "add", "x"}), io::kExitUsage);
  EXPECT_EQ(err(), "touchmark: unknown command 'regstration'; did you mean 'registration'?\n");
  EXPECT_EQ(run({"token", "chek", "x"}), io::kExitUsage);
  EXPECT_EQ(err(), "touchmark: unknown command 'token chek'; did you mean 'check'?\n");
  EXPECT_EQ(run({"token", "check", "--secretfile=x", "y"}), io::kExitUsage);
  EXPECT_EQ(err(), "touchmark: unknown option '--secretfile'; did you mean '--secret-file'?\n");
  EXPECT_EQ(run({"frobnicate"}), io::kExitUsage);
  EXPECT_EQ(err(), "touchmark: unknown command 'frobnicate'; see `touchmark --help`\n");
}

TEST_F(CommandLineTest, IncompleteLinesSayWhatIsMissing) {
  EXPECT_EQ(run({"registration"}), io::kExitUsage);
  EXPECT_EQ(
      err(),
      "touchmark: `touchmark registration` needs a command: add, add-certificate, list, show, "
      "expire, remove\n");
  EXPECT_EQ(run({"registration", "add"}), io::kExitUsage);
  EXPECT_EQ(err(), "touchmark: PACKAGE is missing; see `touchmark registration add --help`\n");
  EXPECT_EQ(run({"registration", "list", "extra"}), io::kExitUsage);
  EXPECT_EQ(err(),
            "touchmark: unexpected argument 'extra'; see `touchmark registration list "
            "--help`\n");
}

TEST_F(CommandLineTest, ErrorsAreJsonWhenAskedFor) {
  EXPECT_EQ(run({"status", "--json"}), io::kExitNotConfigured);
  const auto json = parse_json(err());
  ASSERT_TRUE(json) << err();
  EXPECT_EQ((*json)["error"]["id"], "cli.not-configured");
  EXPECT_EQ(run({"--json", "nonsense"}), io::kExitUsage);
  EXPECT_TRUE(parse_json(err())) << err();
}

TEST_F(CommandLineTest, TokenCheckPrintsTheArticlesLines) {
  world_.set_up();
  const Json claims = {
      {"did", "VpbvaHuFztxhsx472W4Vgg=="}, {"exp", 1568719426}, {"ip", "80.229.113.220"}};
  const std::string shown =
      R"({"did":"VpbvaHuFztxhsx472W4Vgg==","exp":1568719426,"ip":"80.229.113.220"})";
  for (const char* status : {"valid", "invalid", "expired", "forged"}) {
    service().answer("POST /admin/v1/token/check", 200, {{"status", status}, {"claims", claims}});
    EXPECT_EQ(run({"token", "-check", kToken}), std::string(status) == "valid" ? 0 : 1);
    EXPECT_EQ(out(), std::string(status) + ": " + shown + "\n");
    EXPECT_EQ(service().requests.back().body, Json({{"token", kToken}}).dump());
  }
  EXPECT_EQ(run({"token", "check", "abc"}), io::kExitNo);
  EXPECT_THAT(out(), StartsWith("malformed: "));
  EXPECT_EQ(run({"token", "check", "abc", "--json"}), io::kExitNo);
  EXPECT_EQ(out(), "{\"claims\":null,\"status\":\"malformed\"}\n");
  EXPECT_EQ(service().requests.size(), 4U);
}

TEST_F(CommandLineTest, TokenMayComeFromStandardInput) {
  world_.console.input = crypto::sign_hs256({{"exp", 1568396601}}, Bytes(32));
  EXPECT_EQ(run({"token", "inspect", "-"}), io::kExitOk);
  EXPECT_EQ(out(),
            "header {\"alg\":\"HS256\",\"typ\":\"JWT\"}\nclaims {\"exp\":1568396601}\n"
            "exp    2019-09-13 17:43:21+00:00, in 5 min\n");
  world_.console.input = crypto::sign_hs256({{"exp", 1568396601.75}, {"nbf", "1"}}, Bytes(32));
  EXPECT_EQ(run({"token", "inspect", "-"}), io::kExitOk);
  EXPECT_THAT(out(), EndsWith("\nexp    2019-09-13 17:43:21+00:00, in 5 min\n"));
  world_.console.input = crypto::sign_hs256({{"exp", INT64_MAX / 1000}}, Bytes(32));
  EXPECT_EQ(run({"token", "inspect", "-"}), io::kExitOk);
  EXPECT_THAT(out(), EndsWith("claims {\"exp\":9223372036854775}\n")) << "no time beyond year 9999";
}

TEST_F(CommandLineTest, SecretFormats) {
  world_.set_up();
  service().answer("GET /admin/v1/secret", 200,
                   {{"alg", "HS256"}, {"secret", "c2VjcmV0"}, {"decoy_secret", "ZGVjb3k="}});
  EXPECT_EQ(run({"secret", "get"}), io::kExitOk);
  EXPECT_EQ(out(), "c2VjcmV0\n");
  EXPECT_EQ(run({"secret", "get", "--format", "env"}), io::kExitOk);
  EXPECT_EQ(out(), "TOUCHMARK_SECRET=c2VjcmV0\n");
  EXPECT_EQ(run({"secret", "get", "--format", "json"}), io::kExitOk);
  const std::string json = out();
  EXPECT_EQ(json, R"({"alg":"HS256","decoy_secret":"ZGVjb3k=","secret":"c2VjcmV0"})"
                  "\n");
  EXPECT_EQ(run({"secret", "get", "--json"}), io::kExitOk);
  EXPECT_EQ(out(), json);
  EXPECT_EQ(run({"secret", "get", "--format", "xml"}), io::kExitUsage);
}

TEST_F(CommandLineTest, SdkWritesWhatTheServiceGives) {
  world_.set_up();
  service().answers.insert_or_assign("GET /admin/v1/config",
                                     service::HttpAnswer{200, "application/jose", "a.b.c"});
  const auto file = world_.folder.path() / "touchmark-initial.config";
  EXPECT_EQ(run({"sdk", "-getConfig", file.string()}), io::kExitOk);
  EXPECT_EQ(to_string(read_file(file, 100).value()), "a.b.c");

  const auto new_folder = world_.folder.path() / "app/src/main/assets/x.config";
  EXPECT_EQ(run({"sdk", "config", new_folder.string()}), io::kExitOk);
  EXPECT_EQ(to_string(read_file(new_folder, 100).value()), "a.b.c");

  EXPECT_EQ(run({"sdk", "config", (file / "below-a-file").string()}), io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("below-a-file"));
}

TEST_F(CommandLineTest, SdkConfigPassesOnThatPhonesWouldNotReachTheService) {
  world_.set_up();
  service().answer("GET /admin/v1/config", 409,
                   {{"type", "urn:touchmark:error:configuration.local-url"},
                    {"detail", "apps are told https://localhost:8443"}});
  const auto file = world_.folder.path() / "touchmark-initial.config";
  EXPECT_EQ(run({"sdk", "config", file.string()}), io::kExitNo);
  EXPECT_THAT(err(), ::testing::AllOf(HasSubstr("https://localhost:8443"),
                                      HasSubstr("--public-url"), HasSubstr("--allow-local")));
  EXPECT_FALSE(std::filesystem::exists(file));
  service().answers.insert_or_assign("GET /admin/v1/config?allow_local=1",
                                     service::HttpAnswer{200, "application/jose", "a.b.c"});
  EXPECT_EQ(run({"sdk", "config", "--allow-local", file.string()}), io::kExitOk);
  EXPECT_EQ(to_string(read_file(file, 100).value()), "a.b.c");
}

TEST_F(CommandLineTest, ApiAddReadsTheLivePinAndWarnsWithoutBackup) {
  world_.set_up();
  service().answer("GET /admin/v1/apis", 200, {{"apis", Json::array()}});
  service().answer("PUT /admin/v1/apis", 200, {{"config_version", 8}});
  EXPECT_EQ(run({"api", "add", "Localhost:5001"}), io::kExitOk);
  EXPECT_THAT(world_.asked_domains, ElementsAre("localhost:5001"));
  EXPECT_EQ(service().requests.back().body,
            Json({{"domain", "localhost:5001"}, {"pins", {TestWorld::kPin}}, {"before", nullptr}})
                .dump());
  EXPECT_THAT(err(), HasSubstr("warning: there is no backup pin"));
  EXPECT_THAT(err(), HasSubstr("warning: this machine would not trust that certificate"));
  EXPECT_THAT(out(), HasSubstr("localhost:5001 added, configuration version 8"));
}

TEST_F(CommandLineTest, ApiAddTakesPinsInOrder) {
  world_.set_up();
  service().answer("GET /admin/v1/apis", 200, {{"apis", Json::array()}});
  service().answer("PUT /admin/v1/apis", 200, {{"config_version", 8}});
  EXPECT_EQ(run({"api", "add", "--backup-pin", TestWorld::kOtherPin, "--pin", TestWorld::kPin,
                 "--pin", TestWorld::kPin, "a.example"}),
            io::kExitOk);
  EXPECT_TRUE(world_.asked_domains.empty());
  EXPECT_EQ(service().requests.back().body, Json({{"domain", "a.example"},
                                                  {"pins", {TestWorld::kPin, TestWorld::kOtherPin}},
                                                  {"before", nullptr}})
                                                .dump());
  EXPECT_EQ(err(), "");
  EXPECT_EQ(run({"api", "add", "a.example", "--pin", "short"}), io::kExitUsage);
  EXPECT_THAT(err(), StartsWith("touchmark: 'short' is not a pin; "));
}

TEST_F(CommandLineTest, ApiAddAsksBeforeAPinIsLost) {
  world_.set_up();
  const Json apis{{"apis", {{{"domain", "a.example"}, {"pins", {TestWorld::kOtherPin}}}}}};
  service().answer("GET /admin/v1/apis", 200, apis);
  service().answer("PUT /admin/v1/apis", 200, {{"config_version", 8}});
  const auto puts = [&] {
    return std::ranges::count(service().requests, "PUT", &service::HttpRequest::method);
  };
  world_.console.is_interactive = true;
  for (const char* no : {"n", "", "no"}) {
    world_.console.answers = {no};
    EXPECT_EQ(run({"api", "add", "a.example", "--pin", TestWorld::kPin}), io::kExitNo);
    EXPECT_THAT(err(), HasSubstr(std::string("loses  ") + TestWorld::kOtherPin));
    EXPECT_EQ(puts(), 0);
  }
  world_.console.answers = {"y"};
  EXPECT_EQ(run({"api", "add", "a.example", "--pin", TestWorld::kPin}), io::kExitOk);
  EXPECT_EQ(service().requests.back().body, Json({{"domain", "a.example"},
                                                  {"pins", {TestWorld::kPin}},
                                                  {"before", {TestWorld::kOtherPin}}})
                                                .dump());
  EXPECT_THAT(out(), HasSubstr("a.example changed, configuration version 8"));
}

TEST_F(CommandLineTest, RemoveEscapesWhatItNames) {
  world_.set_up();
  service().answers.insert_or_assign("DELETE /admin/v1/apis/localhost%3A5001",
                                     service::HttpAnswer{204, "", ""});
  EXPECT_EQ(run({"api", "remove", "localhost:5001"}), io::kExitOk);
  EXPECT_EQ(out(), "removed localhost:5001\n");
  service().answer("GET /admin/v1/registrations", 200, {{"registrations", {{{"id", "../apis"}}}}});
  service().answer("GET /admin/v1/certificates", 200, {{"certificates", Json::array()}});
  service().answer("DELETE /admin/v1/registrations/..%2Fapis", 404,
                   {{"detail", "no registration"}});
  EXPECT_EQ(run({"registration", "remove", "../apis"}), io::kExitNotFound);
  EXPECT_EQ(run({"registration", "remove", "../other"}), io::kExitNotFound);
}

TEST_F(CommandLineTest, RegistrationListIsATable) {
  world_.set_up();
  service().answer("GET /admin/v1/registrations", 200,
                   {{"registrations",
                     {{{"id", "0123456789abcdef"},
                       {"line", "x"},
                       {"label", "Currency\x1b[2J"},
                       {"expires", 1568396901},
                       {"created", 1568396301},
                       {"package", "com.example"},
                       {"version_name", "1.0"},
                       {"version_code", 1},
                       {"created_by", "admin"},
                       {"expired", true}}}}});
  service().answer("GET /admin/v1/certificates", 200, {{"certificates", Json::array()}});
  EXPECT_EQ(run({"registration", "-list"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("com.example-1.0[1]"));
  EXPECT_THAT(out(), HasSubstr("2019-09-13 17:48:21+00:00 (expired)"));
  EXPECT_THAT(out(), HasSubstr("Currency\\x1b[2J"));
  service().answer("GET /admin/v1/registrations", 200, {{"registrations", Json::array()}});
  EXPECT_EQ(run({"registration", "list"}), io::kExitOk);
  EXPECT_THAT(err(), HasSubstr("no app is registered yet"));
}

TEST_F(CommandLineTest, BadPackagesAreRefusedBeforeTheUpload) {
  world_.set_up();
  const auto file = world_.folder.path() / "app.apk";
  ASSERT_TRUE(write_file_atomic(file, as_bytes("PK\x03\x04 cut")));
  EXPECT_EQ(run({"registration", "add", file.string()}), io::kExitNo);
  EXPECT_THAT(err(), HasSubstr("(zip."));
  EXPECT_EQ(run({"registration", "add", (world_.folder.path() / "none.apk").string()}),
            io::kExitUsage);
  EXPECT_EQ(run({"registration", "add", file.string(), "--expire-after", "soon"}), io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("600s"));
  EXPECT_TRUE(service().requests.empty());
}

TEST_F(CommandLineTest, AuditSaysWhenTheChainIsBroken) {
  world_.set_up();
  const Json entry = {
      {"time", 1568396301}, {"actor", "admin"}, {"action", "api.put"}, {"detail", "a.example"}};
  service().answer("GET /admin/v1/audit?limit=7", 200, {{"entries", {entry}}, {"intact", true}});
  EXPECT_EQ(run({"audit", "list", "--limit", "7"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("2019-09-13 17:38:21+00:00  admin  api.put  a.example"));
  EXPECT_EQ(err(), "");
  service().answer("GET /admin/v1/audit?limit=7", 200, {{"entries", {entry}}, {"intact", false}});
  EXPECT_EQ(run({"audit", "list", "--limit", "7"}), io::kExitNo);
  EXPECT_THAT(err(), HasSubstr("chain of hashes is broken"));
  service().answer("GET /admin/v1/audit?limit=7", 200,
                   {{"entries", {entry}}, {"intact", false}, {"problem", "entry 5 is missing"}});
  EXPECT_EQ(run({"audit", "list", "--limit", "7"}), io::kExitNo);
  EXPECT_THAT(err(), HasSubstr("entry 5 is missing"));
  EXPECT_EQ(run({"audit", "list", "--limit", "0"}), io::kExitUsage);
}

TEST_F(CommandLineTest, ArcIsExplained) {
  EXPECT_EQ(run({"arc", "explain", "aeaq"}), io::kExitOk);
  EXPECT_EQ(out(), "no findings: the attestation passed\n");
  EXPECT_EQ(run({"arc", "explain", "AEAAA"}), io::kExitUsage);
}

class ForceTest : public CommandLineTest {
 protected:
  ForceTest() {
    world_.set_up();
    show("AAAAAAAAAAAAAAAAAAAAAA==", "Pixel 8");
    service().answer("PUT /admin/v1/device", 200,
                     {{"did", "AAAAAAAAAAAAAAAAAAAAAA=="}, {"force", "pass"}});
  }
  void show(const std::string& did, const std::string& model) {
    service().answer("GET /admin/v1/device?did=latest", 200,
                     {{"did", did},
                      {"last_seen", 1568396301},
                      {"passed", false},
                      {"arc", "AEAQ"},
                      {"package", "com.example.app"},
                      {"force", "none"},
                      {"address", "192.0.2.7"},
                      {"appraisal", {{"facts", {{"manufacturer", "Google"}, {"model", model}}}}}});
  }
  // What was put; null when nothing was.
  Json put() {
    for (const service::HttpRequest& request : service().requests) {
      if (request.method == "PUT") return Json::parse(request.body);
    }
    return nullptr;
  }
};

TEST_F(ForceTest, ShowsTheLatestDeviceAsksAndForcesTheOneThatWasShown) {
  world_.console.is_interactive = true;
  world_.console.answers = {"y"};
  EXPECT_EQ(run({"device", "force-pass", "latest"}), io::kExitOk);
  for (const char* shown : {"AAAAAAAAAAAAAAAAAAAAAA==", "Google Pixel 8", "com.example.app",
                            "192.0.2.7", "2019-09-13"}) {
    EXPECT_THAT(err(), HasSubstr(shown));
  }
  EXPECT_EQ(put()["did"], "AAAAAAAAAAAAAAAAAAAAAA==");
  EXPECT_EQ(put()["force"], "pass");
}

TEST_F(ForceTest, ForcesNothingThatWasNotConfirmed) {
  world_.console.is_interactive = true;
  for (const char* answer : {"", "n", "no", "latest"}) {
    for (const char* command : {"force-pass", "force-fail", "clear"}) {
      world_.console.answers = {answer};
      EXPECT_EQ(run({"device", command, "latest"}), io::kExitNo) << command << answer;
    }
  }
  EXPECT_EQ(put(), nullptr);
  EXPECT_THAT(err(), HasSubstr("touchmark device clear AAAAAAAAAAAAAAAAAAAAAA=="));
}

TEST_F(ForceTest, AScriptNamesTheDevice) {
  for (const char* command : {"force-pass", "force-fail", "clear"}) {
    EXPECT_EQ(run({"device", command, "latest"}), io::kExitUsage) << command;
    EXPECT_EQ(run({"device", command, "latest", "--yes"}), io::kExitUsage) << command;
    EXPECT_THAT(err(), HasSubstr("touchmark device show latest"));
  }
  EXPECT_TRUE(service().requests.empty());
  EXPECT_EQ(run({"device", "force-pass", "AAAAAAAAAAAAAAAAAAAAAA==", "--yes"}), io::kExitOk);
  EXPECT_EQ(run({"device", "force-pass", "AAAAAAAAAAAAAAAAAAAAAA=="}), io::kExitOk);
  EXPECT_EQ(put()["did"], "AAAAAAAAAAAAAAAAAAAAAA==");
  world_.console.is_interactive = true;
  EXPECT_EQ(run({"device", "force-pass", "latest", "--yes"}), io::kExitUsage);
}

class InitTest : public CommandLineTest {
 protected:
  InitTest() {
    service().answer("GET /admin/v1/whoami", 200,
                     {{"name", "ann"}, {"role", "admin"}, {"version", "0.1.0"}});
    service().answer("GET /admin/v1/status", 200, {{"role", "admin"}, {"version", "0.1.0"}});
  }
  Result<service::Endpoint> stored(const std::string& name = "default") {
    return service::load_profile(
        [this](const char* variable) -> std::optional<std::string> {
          const auto found = world_.variables.find(variable);
          return found == world_.variables.end() ? std::nullopt : std::optional(found->second);
        },
        name);
  }
};

TEST_F(InitTest, StoresAddressTokenAndPin) {
  EXPECT_EQ(run({"init", "https://host:8443/", "--token", "tmk_x", "--pin", TestWorld::kPin}),
            io::kExitOk);
  ASSERT_TRUE(stored());
  EXPECT_EQ(stored()->url, "https://host:8443");
  EXPECT_EQ(stored()->token, "tmk_x");
  EXPECT_EQ(stored()->pins, std::vector<std::string>{TestWorld::kPin});
  EXPECT_EQ(run({"status"}), io::kExitOk);
  EXPECT_EQ(service().endpoints.back().token, "tmk_x");
}

TEST_F(InitTest, FollowsThePinsThatTheServiceAnnounces) {
  const std::string next = base64_encode(Bytes(32, std::byte{1}));
  const std::string last = base64_encode(Bytes(32, std::byte{2}));
  const auto announce = [&](const Json& pins) {
    const Json answer{{"role", "admin"}, {"service_pins", pins}};
    service().answer("GET /admin/v1/status", 200, answer);
    service().answer("GET /admin/v1/whoami", 200, answer);
  };
  announce({TestWorld::kPin, next});
  world_.clock.time = SystemClock().now();
  EXPECT_EQ(run({"init", "https://host", "--token", "tmk_x", "--pin", TestWorld::kPin}),
            io::kExitOk);
  EXPECT_EQ(stored()->pins, (std::vector<std::string>{TestWorld::kPin, next}));
  announce({next, last});
  EXPECT_EQ(run({"status"}), io::kExitOk);
  EXPECT_EQ(stored()->pins.front(), TestWorld::kPin) << "asked today";
  const auto a_day_later = [&] { world_.clock.time = SystemClock().now() + Seconds(90'000); };
  a_day_later();
  EXPECT_EQ(run({"status"}), io::kExitOk);
  EXPECT_EQ(stored()->pins, (std::vector<std::string>{next, last}));
  // Neither what is no pin, nor the keys of something else.
  for (const Json& wrong : {Json{"short"}, Json{next, 3}, Json::array(), Json{TestWorld::kPin},
                            Json(std::vector<std::string>(17, next)), Json("text")}) {
    announce(wrong);
    EXPECT_EQ(run({"status"}), io::kExitOk);
    EXPECT_EQ(stored()->pins, (std::vector<std::string>{next, last})) << wrong;
  }
  // Nor from the service of an override.
  announce({next});
  world_.variables["TOUCHMARK_URL"] = "https://other";
  world_.variables["TOUCHMARK_TOKEN"] = "tmk_other";
  EXPECT_EQ(run({"status"}), io::kExitOk);
  EXPECT_EQ(stored()->pins, (std::vector<std::string>{next, last}));
}

TEST_F(InitTest, TakesTheTokenFromInputEnvironmentOrTerminal) {
  world_.console.input = "tmk_input";
  EXPECT_EQ(run({"init", "host", "--token", "-", "--profile", "a"}), io::kExitOk);
  EXPECT_EQ(stored("a")->token, "tmk_input");
  world_.variables["TOUCHMARK_TOKEN"] = "tmk_env";
  EXPECT_EQ(run({"init", "host", "--profile", "b"}), io::kExitOk);
  EXPECT_EQ(stored("b")->token, "tmk_env");
  world_.variables.erase("TOUCHMARK_TOKEN");
  world_.console.is_interactive = true;
  world_.console.answers = {"tmk_typed"};
  EXPECT_EQ(run({"init", "host", "--profile", "c"}), io::kExitOk);
  EXPECT_EQ(stored("c")->token, "tmk_typed");
  EXPECT_TRUE(world_.console.hidden);
}

TEST_F(InitTest, RefusesWithoutATokenOrWithABrokenOne) {
  EXPECT_EQ(run({"init", "host"}), io::kExitUsage);
  EXPECT_EQ(run({"init", "host", "--token", "a b\nX-Header: 1"}), io::kExitUsage);
  EXPECT_TRUE(service().requests.empty());
  EXPECT_FALSE(stored());
}

TEST_F(InitTest, StoresNothingThatTheServiceRefuses) {
  service().answer("GET /admin/v1/whoami", 401, {{"detail", "unknown token"}});
  EXPECT_EQ(run({"init", "host", "--token", "tmk_x"}), io::kExitUnauthorized);
  EXPECT_FALSE(stored());
}

TEST_F(InitTest, TakesTheTokenFromAFile) {
  const auto file = world_.folder / "token";
  ASSERT_TRUE(write_file_atomic(file, as_bytes("tmk_filed\n"), 0600));
  EXPECT_EQ(run({"init", "host", "--token-file", file.string()}), io::kExitOk);
  EXPECT_EQ(stored()->token, "tmk_filed");
  world_.console.input = "tmk_input";
  EXPECT_EQ(run({"init", "host", "--token-file", "-"}), io::kExitOk);
  EXPECT_EQ(stored()->token, "tmk_input");
  EXPECT_EQ(run({"init", "host", "--token-file", file.string() + ".absent"}), io::kExitUsage);
  EXPECT_EQ(run({"init", "host", "--token-file", file.string(), "--token", "x"}), io::kExitUsage);
  EXPECT_EQ(stored()->token, "tmk_input");
}

TEST_F(InitTest, KeepsTheStoredTokenForANewPinOfTheSameService) {
  EXPECT_EQ(run({"init", "host", "--token", "tmk_x", "--pin", TestWorld::kPin}), io::kExitOk);
  EXPECT_EQ(run({"init", "https://HOST/", "--pin", TestWorld::kOtherPin}), io::kExitOk);
  EXPECT_EQ(stored()->token, "tmk_x");
  EXPECT_EQ(stored()->pins, std::vector<std::string>{TestWorld::kOtherPin});
  EXPECT_TRUE(world_.console.prompts.empty());
  // It is no other service's, no other profile's, and nobody asked for the one that is stored.
  EXPECT_EQ(run({"init", "other", "--pin", TestWorld::kPin}), io::kExitUsage);
  EXPECT_EQ(run({"init", "host", "--pin", TestWorld::kPin, "--profile", "b"}), io::kExitUsage);
  EXPECT_EQ(run({"init", "host"}), io::kExitUsage);
  for (const service::Endpoint& endpoint : service().endpoints) {
    EXPECT_EQ(endpoint.url, "https://host");
  }
  EXPECT_EQ(run({"init", "host", "--pin", TestWorld::kPin, "--token", "tmk_y"}), io::kExitOk);
  EXPECT_EQ(stored()->token, "tmk_y");
}

TEST_F(InitTest, ReadsWhatOperatorAddWrites) {
  const auto file = world_.folder / "ann.json";
  const Json content{{"name", "ann"},
                     {"role", "auditor"},
                     {"token", "tmk_auditor_x"},
                     {"url", "https://host"},
                     {"pins", {TestWorld::kPin, TestWorld::kOtherPin}}};
  ASSERT_TRUE(write_file_atomic(file, as_bytes(content.dump()), 0600));
  EXPECT_EQ(run({"init", "host", "--credentials", file.string()}), io::kExitOk);
  EXPECT_EQ(stored()->token, "tmk_auditor_x");
  EXPECT_EQ(stored()->pins.size(), 2U);
  EXPECT_EQ(run({"init", "host", "--credentials", file.string(), "--role", "admin"}),
            io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("auditor"));
}

TEST_F(InitTest, MeetsAServiceThatDoesNotKnowNames) {
  service().answer("GET /admin/v1/whoami", 404,
                   {{"type", "urn:touchmark:error:http.not-found"}, {"detail", "nothing there"}});
  EXPECT_EQ(run({"init", "host", "--token", "tmk_x"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("role admin"));
}

class OperatorCommandTest : public CommandLineTest {
 protected:
  OperatorCommandTest() {
    world_.set_up();
    service().answer("POST /admin/v1/operators", 201,
                     {{"name", "ann"},
                      {"role", "auditor"},
                      {"apps", Json::array()},
                      {"expires", nullptr},
                      {"token", "tmk_auditor_secret"}});
  }
};

TEST_F(OperatorCommandTest, ShowsATokenToAPersonAlone) {
  EXPECT_EQ(run({"operator", "add", "ann", "--role", "auditor"}), io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--credentials-file"));
  EXPECT_EQ(run({"operator", "add", "ann", "--role", "auditor", "--json"}), io::kExitUsage);
  EXPECT_TRUE(service().requests.empty()) << "no operator is made whose token nobody gets";
  world_.console.is_interactive = true;
  EXPECT_EQ(run({"operator", "add", "ann", "--role", "auditor"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("tmk_auditor_secret"));
}

TEST_F(OperatorCommandTest, WritesATokenForItsOwnerAlone) {
  const std::string file = (world_.folder / "ann.json").string();
  const std::vector<std::string> line{"operator",           "add", "ann", "--role", "auditor",
                                      "--credentials-file", file};
  EXPECT_EQ(run(line), io::kExitOk);
  EXPECT_THAT(out(), ::testing::Not(HasSubstr("tmk_")));
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto json = parse_json(as_text(read_file(file, 4096).value())).value();
  EXPECT_EQ(json["token"], "tmk_auditor_secret");
  EXPECT_EQ(json["url"], "https://service.example:8443");
  const std::size_t before = service().requests.size();
  EXPECT_EQ(run(line), io::kExitUsage) << "what is there may still be needed";
  EXPECT_THAT(err(), HasSubstr(file));
  EXPECT_EQ(service().requests.size(), before);
}

TEST_F(OperatorCommandTest, UndoesWhatNobodyGetsTheTokenOf) {
  const std::string file = (world_.folder / "absent/ann.json").string();
  service().answers.insert_or_assign("DELETE /admin/v1/operators/ann",
                                     service::HttpAnswer{204, "", ""});
  EXPECT_EQ(run({"operator", "add", "ann", "--role", "auditor", "--credentials-file", file}),
            io::kExitUsage);
  EXPECT_EQ(service().requests.back().method, "DELETE");
  EXPECT_THAT(err(), HasSubstr("no operator was made"));
}

TEST_F(OperatorCommandTest, SendsWhatWasAskedFor) {
  world_.console.is_interactive = true;
  EXPECT_EQ(run({"operator", "add", "ci-1", "--role", "ci", "--app", "com.a", "--app", "com.b",
                 "--expire-after", "90d"}),
            io::kExitOk);
  EXPECT_EQ(parse_json(service().requests.back().body).value(),
            (Json{{"name", "ci-1"},
                  {"role", "ci"},
                  {"apps", {"com.a", "com.b"}},
                  {"expire_after", 90 * 86400}}));
  EXPECT_EQ(run({"operator", "add", "x", "--role", "root"}), io::kExitUsage);
  EXPECT_EQ(run({"operator", "add", "x"}), io::kExitUsage);
  EXPECT_EQ(run({"operator", "add", "x", "--role", "ci", "--expire-after", "soon"}),
            io::kExitUsage);
}

TEST_F(OperatorCommandTest, SecretsGoToAFileOfTheirOwner) {
  service().answer("GET /admin/v1/secret", 200, {{"alg", "HS256"}, {"secret", "c2VjcmV0"}});
  const std::string file = (world_.folder / "api.env").string();
  ASSERT_TRUE(write_file_atomic(file, as_bytes("old"), 0644));
  EXPECT_EQ(run({"secret", "get", "--format", "env", "--output", file}), io::kExitOk);
  EXPECT_EQ(as_text(read_file(file, 4096).value()), "TOUCHMARK_SECRET=c2VjcmV0\n");
  EXPECT_THAT(out(), ::testing::Not(HasSubstr("c2VjcmV0")));
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U) << "whatever it was before";
}

TEST_F(InitTest, ShowsThePinAndAsks) {
  service().self_signed = true;
  world_.console.is_interactive = true;
  world_.console.answers = {"n"};
  EXPECT_EQ(run({"init", "host:1", "--token", "tmk_x"}), io::kExitUnreachable);
  EXPECT_THAT(err(), HasSubstr(TestWorld::kPin));
  EXPECT_THAT(world_.asked_domains, ElementsAre("host:1"));
  EXPECT_FALSE(stored());
  world_.console.answers = {"Yes"};
  EXPECT_EQ(run({"init", "host:1", "--token", "tmk_x"}), io::kExitOk);
  EXPECT_EQ(stored()->pins, std::vector<std::string>{TestWorld::kPin});
}

TEST_F(InitTest, RefusesASelfSignedServiceWithoutATerminal) {
  service().self_signed = true;
  EXPECT_EQ(run({"init", "host:1", "--token", "tmk_x"}), io::kExitUnreachable);
  EXPECT_THAT(err(), HasSubstr(TestWorld::kPin));
  EXPECT_THAT(err(), HasSubstr("--pin"));
  EXPECT_TRUE(world_.console.prompts.empty());
}

TEST_F(CommandLineTest, HelpIsACommandToo) {
  EXPECT_EQ(run({"help", "registration", "add"}), io::kExitOk);
  const std::string shown = out();
  EXPECT_THAT(shown, HasSubstr("--expire-after DURATION"));
  EXPECT_EQ(run({"registration", "add", "--help"}), io::kExitOk);
  EXPECT_EQ(out(), shown);
  EXPECT_EQ(run({"help"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("Start here"));
  // What is said of the whole stands on the page of the whole.
  EXPECT_EQ(run({"help", "arc", "explain"}), io::kExitOk);
  EXPECT_THAT(out(), Not(HasSubstr("Start here")));
  EXPECT_THAT(out(), Not(HasSubstr("Environment")));
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{"help", "regstration"},
                                             {"help", "registration", "ad"},
                                             {"regstration", "--help"},
                                             {"help", "registration", "add", "x"},
                                             {"help", "__complete"}}) {
    EXPECT_EQ(run(wrong), io::kExitUsage) << wrong.back();
    EXPECT_THAT(err(), HasSubstr("unknown command")) << wrong.back();
  }
}

TEST_F(CommandLineTest, JsonHasTimesAsTextToo) {
  world_.set_up();
  service().answer("GET /admin/v1/audit?limit=50", 200,
                   {{"entries", {{{"time", 1568396301}, {"claims", {{"time", 1}}}}}}});
  EXPECT_EQ(run({"audit", "list", "--json"}), io::kExitOk);
  const Json entry = Json::parse(out())["entries"][0];
  EXPECT_EQ(entry["time"], 1568396301);
  EXPECT_EQ(entry["time_rfc3339"], "2019-09-13T17:38:21Z");
  EXPECT_EQ(entry["claims"], Json({{"time", 1}}));
}

TEST_F(CommandLineTest, DashesBeforeACommandAreUnderstood) {
  EXPECT_EQ(run({"registration", "--add"}), io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("did you mean `touchmark registration add`?"));
  EXPECT_EQ(run({"registration", "list", "-v"}), io::kExitUsage);
  EXPECT_THAT(err(), HasSubstr("see `touchmark registration list --help`"));
  EXPECT_EQ(run({"api", "-check", "a.example"}), io::kExitNotConfigured);
}

TEST_F(CommandLineTest, SaysWhereThereIsNoJson) {
  for (const auto& line :
       std::vector<std::vector<std::string>>{{"completion", "bash", "--json"},
                                             {"man", "registration", "--json"},
                                             {"help", "--json"},
                                             {"--json", "--help"},
                                             {"registration", "--help", "--json"},
                                             {"--version", "--json"}}) {
    EXPECT_EQ(run(line), io::kExitUsage) << line.front();
    EXPECT_EQ(out(), "");
    EXPECT_EQ(Json::parse(err())["error"]["id"], "cli.usage");
    EXPECT_THAT(err(), HasSubstr("JSON"));
  }
  EXPECT_EQ(run({"man", "--json"}), io::kExitOk);
  EXPECT_EQ(Json::parse(out())["pages"][0]["page"], "touchmark");
}

// What a service says becomes paths here.
TEST_F(CommandLineTest, ARepositoryStaysInItsFolderWhateverTheServiceSays) {
  world_.set_up();
  const TemporaryFolder folder;
  const std::string repository = (folder / "repository").string();
  const auto offer = [&](const std::string& version, const std::string& file) {
    service().answer("GET /admin/v1/sdk", 200,
                     {{"versions", {{{"version", version}, {"files", {{{"name", file}}}}}}},
                      {"problem", nullptr}});
  };
  for (const char* version : {"", "..", "../../x", "/etc", "0.1.0/../..", "0.1.0-../x", "x"}) {
    offer(version, "touchmark-attestation-0.1.0.aar");
    EXPECT_EQ(run({"sdk", "repository", repository, "--group", "com.example"}), io::kExitService)
        << version;
    EXPECT_EQ(run({"sdk", "library", (folder / "x.aar").string(), "--version", version}),
              *version == '\0' ? io::kExitUsage : io::kExitService)
        << version;
  }
  // A file that this command does not know is left out, and so is one that would lie elsewhere.
  for (const char* file :
       {"../../../../x", "touchmark-attestation-0.1.0.new", "", "maven-metadata.xml"}) {
    offer("0.1.0", file);
    EXPECT_EQ(run({"sdk", "repository", repository, "--group", "com.example"}), io::kExitService)
        << "the fake hands out no POM";
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  }
  EXPECT_THAT(service().requests.back().path, HasSubstr("touchmark-attestation-0.1.0.module"));
  EXPECT_FALSE(std::filesystem::exists(repository));
  // A service from before there were versions would hand out its own.
  service().answer("GET /admin/v1/sdk", 404,
                   {{"type", "urn:touchmark:error:http.not-found"}, {"detail", "nothing"}});
  EXPECT_EQ(run({"sdk", "library", (folder / "x.aar").string(), "--version", "0.1.0"}),
            io::kExitNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.aar"));
}

TEST_F(CommandLineTest, RegistrationsAreNamedInMoreWaysThanById) {
  world_.set_up();
  const auto row = [](const char* id, const char* package, const char* version) {
    return Json{{"id", id}, {"package", package}, {"version_name", version}, {"version_code", 7}};
  };
  service().answer(
      "GET /admin/v1/registrations", 200,
      {{"registrations",
        {row("aa11", "com.a", "1.0"), row("aa22", "com.a", "2.0"), row("bb33", "com.b", "1.0")}}});
  service().answer("GET /admin/v1/certificates", 200,
                   {{"certificates", {{{"id", "cert-aa"}, {"subject", "CN=x"}}}}});
  for (const char* id : {"aa11", "aa22", "bb33"}) {
    service().answers.insert_or_assign(std::string("DELETE /admin/v1/registrations/") + id,
                                       service::HttpAnswer{204, "", ""});
  }
  service().answers.insert_or_assign("DELETE /admin/v1/certificates/cert-aa",
                                     service::HttpAnswer{204, "", ""});
  const auto removed = [&](const char* word) {
    EXPECT_EQ(run({"registration", "remove", word}), io::kExitOk) << word << err();
    return out();
  };
  EXPECT_EQ(removed("aa2"), "removed aa22\n");
  EXPECT_EQ(removed("com.b"), "removed bb33\n");
  EXPECT_EQ(removed("com.a@1.0"), "removed aa11\n");
  EXPECT_EQ(removed("com.b@7"), "removed bb33\n");
  EXPECT_EQ(removed("c"), "removed cert-aa\n");
  const auto sent = service().requests.size();
  for (const char* word : {"aa", "com.a", "com.a@7"}) {
    EXPECT_EQ(run({"registration", "remove", "bb33", word}), io::kExitUsage) << word;
    EXPECT_THAT(err(), HasSubstr("aa11 (com.a-1.0[7]), aa22 (com.a-2.0[7])")) << word;
  }
  for (const char* word : {"zz", "", "com.a@3.0", "com"}) {
    EXPECT_EQ(run({"registration", "remove", "bb33", word}), io::kExitNotFound) << word;
  }
  // Nothing is removed when one of several means nothing.
  for (std::size_t i = sent; i < service().requests.size(); ++i) {
    EXPECT_EQ(service().requests[i].method, "GET");
  }
  // For completion scripts, and silence when nothing answers.
  EXPECT_EQ(run({"__complete", "registrations"}), io::kExitOk);
  EXPECT_THAT(out(), HasSubstr("aa22\tcom.a-2.0[7]\n"));
  service().answers.clear();
  EXPECT_EQ(run({"__complete", "registrations"}), io::kExitOk);
  EXPECT_EQ(out() + err(), "");
}

TEST(Manual, HasAPageForEveryCommand) {
  const auto line = make_command_line();
  const auto pages = line::manual_pages(line->root.app());
  EXPECT_GT(pages.size(), line::subcommands(line->root.app()).size() + 20);
  const auto has = [&](const char* file) {
    return std::ranges::count(pages, file, &line::ManualPage::file) == 1;
  };
  EXPECT_TRUE(has("touchmark-registration.1"));
  EXPECT_TRUE(has("touchmark-registration-add.1"));
  EXPECT_FALSE(has("touchmark-__complete.1"));
  EXPECT_EQ(pages.front().file, "touchmark.1");
  EXPECT_THAT(pages.front().text, HasSubstr(".SH EXIT STATUS"));
  for (const line::ManualPage& page : pages) EXPECT_THAT(page.text, StartsWith(".TH TOUCHMARK"));
}

TEST(Completion, KnowsEveryCommandAndOption) {
  const auto line = make_command_line();
  for (const std::string& script :
       {line::bash_completion(line->root.app()), line::zsh_completion(line->root.app()),
        line::fish_completion(line->root.app())}) {
    EXPECT_THAT(script, HasSubstr("touchmark registration add"));
    EXPECT_THAT(script, HasSubstr("expire-after"));
  }
}

}  // namespace
}  // namespace touchmark::cli::commands
